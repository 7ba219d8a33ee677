"""What PyAirbyte's users write for Amplitude: Airbyte's own connector, by its manifest, into a DuckDB file. Two things are changed
in the manifest: its fixed host, and the end of its events, which is always the current hour."""
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import airbyte
import yaml

given = Path(os.environ["AIRBYTE_MANIFEST"])
url = urlsplit(os.environ["EXPORT_URL"])
hours = {name: datetime.strptime(hour, "%Y%m%dT%H") for name, [hour] in parse_qs(url.query).items()}
start, end = (f"{hours[name]:%Y-%m-%dT%H:%M:%SZ}" for name in ("start", "end"))

manifest = yaml.safe_load((given / "manifest.yaml").read_text())
events = next(stream for stream in manifest["streams"] if stream["name"] == "events")
events["retriever"]["requester"]["url_base"] = f"{url.scheme}://{url.netloc}/api"
events["incremental_sync"]["end_datetime"]["datetime"] = end
# PyAirbyte takes the components only from beside a manifest that is a file.
Path("manifest.yaml").write_text(yaml.safe_dump(manifest))
shutil.copy(given / "components.py", "components.py")

source = airbyte.get_source(
    "source-amplitude",
    source_manifest=Path("manifest.yaml"),
    config={
        "api_key": os.environ["AMP_API_KEY"],
        "secret_key": os.environ["AMP_SECRET_KEY"],
        "start_date": start,
        "data_region": "Standard Server",
    },
    streams="events",
)
cache = airbyte.caches.DuckDBCache(db_path=sys.argv[1], schema_name="peer")
source.read(cache, write_strategy="append")
