UPDATE LOADS SET KEY = 'events/2025-11-10_21.jsonl.gz', FORMAT = 'jsonl.gz', SHA256 = '0', ETAG = '"e"'
WHERE LOAD_ID = 'batch/2025-11-10T21';
