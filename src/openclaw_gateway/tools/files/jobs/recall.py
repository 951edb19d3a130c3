"""Passages of the notes that have to do with a question."""

from openclaw_gateway.tools.files.jobs.orders import SMALL_BYTES, Recall, TooLarge
from openclaw_gateway.tools.memory.notes import all_notes
from openclaw_gateway.tools.memory.ranking import passages, ranked

_MAX_PASSAGE_CHARS = 2000


def recall(job: Recall, *, small: bool) -> str:
    notes = all_notes(job.workspace)
    if small and sum(len(note) for _, note in notes) > SMALL_BYTES:
        raise TooLarge
    if not notes:
        return "There are no notes yet: neither MEMORY.md nor memory/*.md exists."
    found = ranked(job.query, [one for path, note in notes for one in passages(path, note)], job.most)
    if not found:
        return f"Nothing about this in {len(notes)} note(s). Try other words."
    return "\n\n".join(
        f"{one.path}:{one.first}-{one.last} (score {score:.2f})\n{one.text[:_MAX_PASSAGE_CHARS]}"
        for score, one in found
    )
