"""The Store that several machines share: PostgreSQL through asyncpg."""
