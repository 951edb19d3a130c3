"""All that is the operator's alone, as the doors reach it (`gateway.operator`)."""

from collections.abc import Callable

from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.operator.agent_files import AgentFiles
from openclaw_gateway.gateway.operator.agents import OperatorAgents
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.operator.exec_rules import ExecRules
from openclaw_gateway.gateway.operator.log import OperatorLog
from openclaw_gateway.gateway.operator.model_trials import ModelTrials
from openclaw_gateway.tools.exec.approvals import KeptApprovals
from openclaw_gateway.work.deeds import Deeds


class OperatorRooms:
    """`generation` gives what is in force, `at_work` how many runs of an agent are. `approvals` are the rules
    of what commands may run. What is written is one of
    `deeds`: carried through, whether or not its client stays."""

    def __init__(
        self,
        generation: Callable[[], Generation],
        at_work: Callable[[str], int],
        model_trials: ModelTrials,
        approvals: KeptApprovals,
        deeds: Deeds,
    ) -> None:
        self.config = OperatorConfig(lambda: generation().authenticator.mode, deeds)
        self.agents = OperatorAgents(self.config, generation, at_work, deeds)
        self.agent_files = AgentFiles(self.config, generation)
        self.exec_rules = ExecRules(self.config, approvals, lambda: generation().program)
        self.log = OperatorLog(lambda: generation().config.logging.file)
        self.model_trials = model_trials
