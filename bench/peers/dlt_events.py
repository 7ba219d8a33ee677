"""What dlt's users write for Amplitude: a resource that yields the events of one window, and a pipeline that appends them to a
DuckDB file. Its Parquet loader is the fast one: the default inserts row by row."""
import base64
import gzip
import io
import json
import os
import sys
import urllib.request
import zipfile

import dlt

KEYS = os.environ["AMP_API_KEY"] + ":" + os.environ["AMP_SECRET_KEY"]


@dlt.resource(name="events", write_disposition="append")
def events(url):
    token = base64.b64encode(KEYS.encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": "Basic " + token})
    with urllib.request.urlopen(request) as answer:
        content = io.BytesIO(answer.read())
    with zipfile.ZipFile(content) as archive:
        for name in archive.namelist():
            with archive.open(name) as part, gzip.open(part) as lines:
                yield [json.loads(line) for line in lines]


pipeline = dlt.pipeline(
    pipeline_name="amplitude",
    pipelines_dir="pipelines",
    destination=dlt.destinations.duckdb(sys.argv[1]),
    dataset_name="peer",
)
pipeline.run(events(os.environ["EXPORT_URL"]), loader_file_format="parquet")
