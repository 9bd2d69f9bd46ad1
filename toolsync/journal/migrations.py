"""The scripts that make the tables, oldest first; a journal tells by a number how many it had.

A script that was released is never edited: a change is one more script at the end of `MIGRATIONS`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

MIGRATIONS = (
    # pages, releases, results, uploads and the log
    """
    CREATE TABLE page (
        tool TEXT PRIMARY KEY, definition TEXT NOT NULL, sighting TEXT NOT NULL,
        status TEXT NOT NULL, message TEXT NOT NULL, resolution TEXT NOT NULL,
        exit_status INTEGER NOT NULL, looked TEXT NOT NULL, answered TEXT NOT NULL);
    CREATE TABLE release (
        tool TEXT, version TEXT, data TEXT NOT NULL, seen TEXT NOT NULL,
        sha256 TEXT NOT NULL DEFAULT '', accepted TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (tool, version));
    CREATE TABLE result (
        tool TEXT, version TEXT, scope TEXT, stage TEXT, inputs TEXT NOT NULL,
        outcome TEXT NOT NULL, data TEXT NOT NULL, message TEXT NOT NULL,
        resolution TEXT NOT NULL, kind TEXT NOT NULL,
        started TEXT NOT NULL, finished TEXT NOT NULL,
        PRIMARY KEY (tool, version, scope, stage));
    CREATE TABLE upload (
        target TEXT, source TEXT, version TEXT, series TEXT, tool TEXT NOT NULL,
        upstream TEXT NOT NULL, content TEXT NOT NULL, revision INTEGER NOT NULL,
        dsc TEXT NOT NULL, state TEXT NOT NULL, served TEXT NOT NULL DEFAULT '',
        claimed TEXT NOT NULL, changed TEXT NOT NULL,
        PRIMARY KEY (target, source, version, series));
    CREATE TABLE log (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, tool TEXT NOT NULL,
        version TEXT NOT NULL, scope TEXT NOT NULL, stage TEXT NOT NULL,
        event TEXT NOT NULL, message TEXT NOT NULL);
    CREATE INDEX log_tool ON log (tool, id);
    CREATE TRIGGER log_is_kept BEFORE DELETE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
    CREATE TRIGGER log_is_true BEFORE UPDATE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
    """,
    # runs, statuses, what was told, and messages
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL,
        finished TEXT NOT NULL DEFAULT '', exit_status INTEGER NOT NULL DEFAULT -1);
    CREATE TABLE standing (
        tool TEXT PRIMARY KEY, status TEXT NOT NULL, current TEXT NOT NULL,
        newest TEXT NOT NULL, message TEXT NOT NULL, resolution TEXT NOT NULL,
        exit_status INTEGER NOT NULL, since TEXT NOT NULL);
    CREATE TABLE told (
        channel TEXT, subject TEXT, state TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (channel, subject));
    CREATE TABLE letter (
        id TEXT PRIMARY KEY, channel TEXT NOT NULL, data TEXT NOT NULL, made TEXT NOT NULL,
        sent TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
        error TEXT NOT NULL DEFAULT '');
    CREATE INDEX letter_unsent ON letter (channel, made) WHERE sent = '';
    """,
    # what gates said, and what people decided
    """
    CREATE TABLE judgment (
        tool TEXT, version TEXT, stage TEXT, inputs TEXT NOT NULL, data TEXT NOT NULL,
        at TEXT NOT NULL, PRIMARY KEY (tool, version, stage));
    CREATE TABLE decision (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, version TEXT NOT NULL,
        stage TEXT NOT NULL, verdict TEXT NOT NULL, subject TEXT NOT NULL,
        carries TEXT NOT NULL, summary TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,
        reason TEXT NOT NULL);
    CREATE INDEX decision_tool ON decision (tool, id);
    CREATE TRIGGER decision_is_kept BEFORE DELETE ON decision
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    CREATE TRIGGER decision_is_true BEFORE UPDATE ON decision
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    """,
    # so that publications are found in a log of years
    """
    CREATE INDEX log_confirmed ON log (tool, version, scope, id)
        WHERE stage = 'confirm' AND event = 'done';
    """,
    # when an upload's state began, and what its target noted
    """
    ALTER TABLE upload ADD COLUMN since TEXT NOT NULL DEFAULT '';
    ALTER TABLE upload ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
    UPDATE upload SET since = changed;
    """,
    # signed evidence
    """
    CREATE TABLE evidence (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, version TEXT NOT NULL,
        payload TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
        at TEXT NOT NULL);
    CREATE INDEX evidence_release ON evidence (tool, version, id);
    """,
    # when versions appeared, and when keys end
    """
    CREATE TABLE first (
        tool TEXT, version TEXT, since TEXT NOT NULL, PRIMARY KEY (tool, version))
        WITHOUT ROWID;
    CREATE TABLE keydate (
        tool TEXT, fingerprint TEXT, "primary" TEXT NOT NULL, ends TEXT NOT NULL,
        digest TEXT NOT NULL, before TEXT, changed TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (tool, fingerprint)) WITHOUT ROWID;
    """,
    # so that a tool's uploads are found
    "CREATE INDEX upload_tool ON upload (tool);",
    # The compatibility gate came to judge packages, and so each series apart: what it had let pass
    # stays so for every package that was built by then.
    """
    ALTER TABLE judgment RENAME TO judgment_before;
    CREATE TABLE judgment (
        tool TEXT, version TEXT, stage TEXT, inputs TEXT NOT NULL, data TEXT NOT NULL,
        at TEXT NOT NULL, scope TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (tool, version, stage, scope));
    INSERT INTO judgment SELECT tool, version, stage, inputs, data, at, '' FROM judgment_before;
    DROP TABLE judgment_before;
    INSERT OR IGNORE INTO result
        SELECT c.tool, c.version, b.scope, c.stage, c.inputs, c.outcome, c.data, c.message,
            c.resolution, c.kind, c.started, c.finished
        FROM result c JOIN result b ON b.tool = c.tool AND b.version = c.version
        WHERE c.stage = 'compat' AND c.scope = '' AND c.outcome = 'done'
            AND b.stage = 'build' AND b.outcome IN ('done', 'skipped');
    """,
    # which journal this is, and how far it has come
    """
    CREATE TABLE identity (id TEXT PRIMARY KEY, serial INTEGER NOT NULL);
    """,
    # which tools are followed, under what names they were, and what people took out of the plan
    """
    CREATE TABLE followed (tool TEXT PRIMARY KEY, source TEXT NOT NULL, folder TEXT NOT NULL);
    INSERT INTO followed SELECT tool, source, '' FROM upload
        WHERE rowid IN (SELECT max(rowid) FROM upload GROUP BY tool);
    CREATE TABLE former (was TEXT PRIMARY KEY, tool TEXT NOT NULL);
    CREATE TABLE retirement (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, source TEXT NOT NULL,
        part TEXT NOT NULL, act TEXT NOT NULL, removes INTEGER NOT NULL, who TEXT NOT NULL,
        at TEXT NOT NULL, reason TEXT NOT NULL);
    CREATE TRIGGER retirement_is_kept BEFORE DELETE ON retirement
        BEGIN SELECT RAISE(ABORT, 'retirements are append-only'); END;
    CREATE TRIGGER retirement_is_true BEFORE UPDATE ON retirement
        BEGIN SELECT RAISE(ABORT, 'retirements are append-only'); END;
    """,
    # the bytes of every part of what was accepted, and as which version
    """
    CREATE TABLE part (
        tool TEXT, sha256 TEXT, version TEXT, component TEXT, own TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (tool, sha256, version, component)) WITHOUT ROWID;
    INSERT INTO part SELECT tool, sha256, version, '', version, accepted
        FROM release WHERE sha256 != '';
    INSERT OR IGNORE INTO part
        SELECT r.tool, json_extract(c.value, '$.archive.sha256'), r.version,
            json_extract(c.value, '$.component'),
            coalesce((SELECT json_extract(p.value, '$.version')
                FROM json_each(r.data, '$.parts') p
                WHERE json_extract(p.value, '$.component') = json_extract(c.value, '$.component')),
                r.version),
            r.accepted
        FROM release r JOIN result f ON f.tool = r.tool AND f.version = r.version
            AND f.stage = 'fetch' AND f.scope = '' AND f.outcome = 'done',
            json_each(f.data, '$.components') c
        WHERE r.sha256 != '';
    """,
    # what servers said of accepted files, which are asked about again
    """
    CREATE TABLE origin (
        tool TEXT, url TEXT, sha256 TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        last_modified TEXT NOT NULL, read TEXT NOT NULL, asked TEXT NOT NULL,
        stated TEXT NOT NULL, PRIMARY KEY (tool, url)) WITHOUT ROWID;
    """,
    # the log of publications: a leaf for each signed evidence, those from before in their order
    """
    CREATE TABLE leaf (number INTEGER PRIMARY KEY, entry TEXT NOT NULL);
    INSERT INTO leaf SELECT row_number() OVER (ORDER BY id) - 1,
        json_object('tool', tool, 'version', version, 'name', name, 'sha256', sha256,
            'size', size, 'at', at)
        FROM evidence;
    CREATE TRIGGER leaf_is_kept BEFORE DELETE ON leaf
        BEGIN SELECT RAISE(ABORT, 'the log of publications is append-only'); END;
    CREATE TRIGGER leaf_is_true BEFORE UPDATE ON leaf
        BEGIN SELECT RAISE(ABORT, 'the log of publications is append-only'); END;
    CREATE TRIGGER evidence_is_a_leaf AFTER INSERT ON evidence
        BEGIN INSERT INTO leaf SELECT count(*),
            json_object('tool', new.tool, 'version', new.version, 'name', new.name,
                'sha256', new.sha256, 'size', new.size, 'at', new.at)
            FROM leaf; END;
    """,
    # what everybody sees of every tool, which tools' rows of it are out of date, and who may decide
    """
    CREATE TABLE state (
        tool TEXT PRIMARY KEY, mark TEXT NOT NULL, status TEXT NOT NULL, place INTEGER NOT NULL,
        current TEXT NOT NULL, newest TEXT NOT NULL, url TEXT NOT NULL, message TEXT NOT NULL,
        resolution TEXT NOT NULL, exit_status INTEGER NOT NULL, since TEXT NOT NULL,
        holder TEXT NOT NULL, lag INTEGER NOT NULL, summary TEXT NOT NULL, area TEXT NOT NULL,
        places TEXT NOT NULL, computed TEXT NOT NULL);
    CREATE INDEX state_place ON state (place, tool);
    CREATE TABLE stale (tool TEXT PRIMARY KEY, at TEXT NOT NULL, n INTEGER NOT NULL DEFAULT 1)
        WITHOUT ROWID;
    CREATE TRIGGER page_is_new AFTER INSERT ON page BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.looked)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER page_is_other AFTER UPDATE ON page
        WHEN OLD.tool IS NOT NEW.tool OR OLD.status IS NOT NEW.status
            OR OLD.message IS NOT NEW.message BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.looked)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER release_is_new AFTER INSERT ON release BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.seen)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER release_is_other AFTER UPDATE ON release
        WHEN OLD.tool IS NOT NEW.tool OR OLD.data IS NOT NEW.data
            OR OLD.sha256 IS NOT NEW.sha256 BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.accepted)
        ON CONFLICT DO UPDATE SET n = n + 1; END;
    CREATE TRIGGER result_is_new AFTER INSERT ON result BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.finished)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER result_is_gone AFTER DELETE ON result BEGIN
        INSERT INTO stale (tool, at) VALUES (OLD.tool, '')
        ON CONFLICT DO UPDATE SET n = n + 1; END;
    CREATE TRIGGER judgment_is_new AFTER INSERT ON judgment BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.at)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER decision_is_new AFTER INSERT ON decision BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.at)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER upload_is_new AFTER INSERT ON upload BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.changed)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER upload_is_other AFTER UPDATE ON upload
        WHEN OLD.tool IS NOT NEW.tool OR OLD.state IS NOT NEW.state
            OR OLD.series IS NOT NEW.series BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.changed)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER upload_is_gone AFTER DELETE ON upload BEGIN
        INSERT INTO stale (tool, at) VALUES (OLD.tool, '')
        ON CONFLICT DO UPDATE SET n = n + 1; END;
    CREATE TRIGGER origin_is_new AFTER INSERT ON origin BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.asked)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TRIGGER origin_is_other AFTER UPDATE ON origin
        WHEN OLD.sha256 IS NOT NEW.sha256 OR OLD.stated IS NOT NEW.stated BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.asked)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    CREATE TABLE account (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL, changed TEXT NOT NULL);
    CREATE TABLE token (
        name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
        role TEXT NOT NULL, made TEXT NOT NULL, ends TEXT NOT NULL);
    """,
    # who of several coordinators works on what
    """
    CREATE TABLE lease (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,
        until INTEGER NOT NULL);
    """,
    # what releases became in a team's git repository
    """
    CREATE TABLE imported (
        tool TEXT, version TEXT, repository TEXT, upstream TEXT NOT NULL, series TEXT NOT NULL,
        state TEXT NOT NULL, branch TEXT NOT NULL, commit_id TEXT NOT NULL, tree TEXT NOT NULL,
        packaging TEXT NOT NULL, dsc TEXT NOT NULL, request TEXT NOT NULL,
        number INTEGER NOT NULL, shown TEXT NOT NULL, who TEXT NOT NULL, message TEXT NOT NULL,
        resolution TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (tool, version, repository)) WITHOUT ROWID;
    CREATE TRIGGER imported_is_new AFTER INSERT ON imported BEGIN
        INSERT INTO stale (tool, at) VALUES (NEW.tool, NEW.at)
        ON CONFLICT DO UPDATE SET n = n + 1, at = excluded.at; END;
    """,
    # so that what holds a release is found among very many results
    "CREATE INDEX result_held ON result (tool) WHERE outcome = 'held';",
)


def statements(script: str) -> Iterator[str]:
    """Give the statements of a script one by one (triggers hold semicolons of their own)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
