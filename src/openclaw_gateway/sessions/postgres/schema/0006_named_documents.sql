-- readable from: 1
--
-- What all processes of a gateway go by: texts with names. Each is replaced whole, by who has read its newest
-- version. Until here there was one, the configuration, and releases of before go on with that one.

ALTER TABLE documents RENAME TO named_documents;
ALTER TABLE named_documents
    DROP COLUMN one,
    ADD COLUMN name text COLLATE "C" PRIMARY KEY DEFAULT 'config';

-- Its `one` is what they tell it by (ON CONFLICT (one)).
CREATE VIEW documents AS
    SELECT name AS one, version, text FROM named_documents WHERE name = 'config';
