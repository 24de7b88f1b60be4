/** How the database of a project came to its form, step by step. A step is never changed once it was released; a new one is added. */
export const migrations: readonly string[] = [
  `
  -- What the project is about: name, kind of item, where its data lie, what was understood of them.
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

  -- Images, rows, series or clips. "path" is the file, from the project's folder where it lies in it; "line" the row in it, from 1,
  -- and 0 where the item is the whole file. "mask" is a path of the same form.
  CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    line INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    label TEXT CHECK (label IN ('normal', 'anomalous')),
    type TEXT,
    split TEXT CHECK (split IN ('train', 'validation', 'test')),
    mask TEXT,
    hash TEXT,
    width INTEGER,
    height INTEGER,
    UNIQUE (path, line)
  );
  CREATE INDEX items_by_label ON items (label, split);
  CREATE INDEX items_by_hash ON items (hash);
  CREATE TABLE tags (item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE, tag TEXT NOT NULL, PRIMARY KEY (item, tag));
  CREATE INDEX tags_by_tag ON tags (tag, item);
  -- Stretches of a series that people named; steps from 0, the end not included.
  CREATE TABLE stretches (
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    begin INTEGER NOT NULL,
    end INTEGER NOT NULL,
    label TEXT NOT NULL CHECK (label IN ('normal', 'anomalous'))
  );
  -- Every change that can be taken back: what it did, and what was there before.
  CREATE TABLE edits (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, what TEXT NOT NULL, isUndone INTEGER NOT NULL DEFAULT 0);

  CREATE TABLE versions (hash TEXT PRIMARY KEY, at TEXT NOT NULL, path TEXT NOT NULL, counts TEXT NOT NULL);

  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL,
    run TEXT,
    createdAt TEXT NOT NULL,
    startedAt TEXT,
    endedAt TEXT,
    result TEXT,
    error TEXT
  );

  -- Thresholds that people saved, by the name of the run's folder.
  CREATE TABLE points (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    threshold REAL NOT NULL,
    review REAL,
    at TEXT NOT NULL
  );

  -- Folders, cameras and logs that are watched; what they found lies in the folder of each.
  CREATE TABLE watches (id TEXT PRIMARY KEY, setup TEXT NOT NULL, state TEXT NOT NULL, error TEXT);

  CREATE TABLE alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    source TEXT NOT NULL,
    item TEXT NOT NULL,
    score REAL,
    threshold REAL,
    at TEXT NOT NULL,
    overlay TEXT,
    acknowledgedAt TEXT,
    label TEXT CHECK (label IN ('normal', 'anomalous'))
  );

  -- What open pages are told, so that one that was away hears what it missed.
  CREATE TABLE changes (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data TEXT NOT NULL);
  `,
  `ALTER TABLE jobs ADD COLUMN priority INTEGER;`,
  `
  -- How the rows of a version are read, as options of a run, where a person said it.
  ALTER TABLE versions ADD COLUMN reading TEXT;
  `,
  `
  -- How images look: 32 × 32 bytes of grey, from which near duplicates are told.
  CREATE TABLE looks (item INTEGER PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE, thumbnail BLOB NOT NULL);
  `,
  `
  -- Of a row, the columns that make its score, as JSON.
  ALTER TABLE alarms ADD COLUMN reasons TEXT;
  `,
];
