"""The scripted server ends an answer as its script says, in every dialect."""

import pytest

from openclaw_gateway.testing.replies import Call, calls, says
from openclaw_gateway.testing.voices import voice_for

CUT = {
    "/v1/chat/completions": b'"finish_reason":"length"',
    "/v1/messages": b'"stop_reason":"max_tokens"',
    "/v1/responses": b'"reason":"max_output_tokens"',
    "/v1/models/m:streamGenerateContent": b'"finishReason":"MAX_TOKENS"',
}
WHOLE = {
    "/v1/chat/completions": b'"finish_reason":"tool_calls"',
    "/v1/messages": b'"stop_reason":"tool_use"',
    "/v1/responses": b'"status":"completed"',
    "/v1/models/m:streamGenerateContent": b'"finishReason":"STOP"',
}


@pytest.mark.parametrize("path", CUT)
def test_a_call_may_be_cut_by_the_length(path: str) -> None:
    call = Call("weather", "{}")
    for reply, ending in ((says(call, finish="length"), CUT[path]), (calls(call), WHOLE[path])):
        voice = voice_for(path, "m")
        voice.call(call)
        assert ending in voice.ending(reply, usage_asked=False)
        assert ending in voice_for(path, "m").whole(reply, "", [call])
