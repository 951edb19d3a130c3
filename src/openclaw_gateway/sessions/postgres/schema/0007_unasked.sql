-- readable from: 1
--
-- A wish that a run should end says whether somebody has asked for that. Where nobody has, nobody wants its answer
-- any more, and its name is free for who sends the request again.

ALTER TABLE runs ADD COLUMN unasked boolean NOT NULL DEFAULT false;
