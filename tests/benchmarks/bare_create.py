"""The least that a create can be: httpx, the signature, one request. It proves nothing and writes nothing down.

python -m tests.benchmarks.bare_create URL CLUSTER BUCKET NAME
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import sys
import time

import httpx


def main() -> None:
    """Sign, send, print the answer."""
    url, cluster, bucket, name = sys.argv[1:]
    target = f"/api/v2/snapshot/createSnapshot/{cluster}"
    access_key, now = os.environ["NCLOUD_ACCESS_KEY"], str(int(time.time() * 1000))
    text = f"POST {target}\n{now}\n{access_key}"
    digest = hmac.new(os.environ["NCLOUD_SECRET_KEY"].encode(), text.encode(), hashlib.sha256).digest()
    headers = {
        "x-ncp-apigw-timestamp": now,
        "x-ncp-iam-access-key": access_key,
        "x-ncp-apigw-signature-v2": base64.b64encode(digest).decode(),
    }
    with httpx.Client() as client:
        answer = client.post(url + target, headers=headers, json={"snapshotName": name, "bucketName": bucket})
    print(answer.text)  # noqa: T201
    sys.exit(answer.status_code != httpx.codes.OK)


if __name__ == "__main__":
    main()
