"""What the older pipelines do: download the archive, extract all of it, gunzip each part to its own file, upload these one
by one. Needs only the standard library and boto3."""
import base64
import gzip
import os
import shutil
import time
import urllib.request
import zipfile

import boto3

URL = os.environ["EXPORT_URL"]
KEYS = os.environ["AMP_API_KEY"] + ":" + os.environ["AMP_SECRET_KEY"]
BUCKET = os.environ["BUCKET"]
began = time.perf_counter()


def report(step):
    global began
    now = time.perf_counter()
    print(f"{step} {now - began:.3f}", flush=True)
    began = now


def download():
    token = base64.b64encode(KEYS.encode()).decode()
    request = urllib.request.Request(URL, headers={"Authorization": "Basic " + token})
    with urllib.request.urlopen(request) as answer:
        content = answer.read()
    with open("data.zip", "wb") as file:
        file.write(content)


def extract():
    with zipfile.ZipFile("data.zip") as archive:
        archive.extractall("extracted")


def gunzip():
    os.makedirs("data")
    for folder, _, names in os.walk("extracted"):
        for name in names:
            if name.endswith(".gz"):
                with gzip.open(os.path.join(folder, name), "rb") as source:
                    with open(os.path.join("data", name[: -len(".gz")]), "wb") as target:
                        shutil.copyfileobj(source, target)


def upload():
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])
    for name in sorted(os.listdir("data")):
        path = os.path.join("data", name)
        client.upload_file(path, BUCKET, "python-import/" + name)
        os.remove(path)


for step in (download, extract, gunzip, upload):
    step()
    report(step.__name__)
