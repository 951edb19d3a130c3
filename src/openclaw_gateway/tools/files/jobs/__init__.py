"""What file tools do, as jobs: small ones on a thread, and long ones in a process that can be killed.

Python's interpreter is one: what computes long on a thread holds up the event loop, and a thread cannot be
ended. So each job is data (orders.py) and a function of it without asyncio; perform.py decides where it is
done, and __main__.py is the child's program.
"""
