"""Uses a COS server as a program would, with the SDK for Python.

check.py ENDPOINT BUCKET REGION, with COS_SECRET_ID and COS_SECRET_KEY.
"""

import os
import sys

import requests
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosServiceError

MIB = 1 << 20
endpoint, bucket, region = sys.argv[1:4]
# The server is a proxy of the service: names and signatures are as in the cloud.
proxies = {"http": endpoint}


def client(secret_key):
    return CosS3Client(CosConfig(Region=region, SecretId=os.environ["COS_SECRET_ID"], SecretKey=secret_key,
                                 Scheme="http", Proxies=proxies, Timeout=60), retry=1)


cos = client(os.environ["COS_SECRET_KEY"])


def equal(what, got, want):
    if got != want:
        raise SystemExit(f"{what}: got {str(got)[:200]!r}, want {str(want)[:200]!r}")
    print(what)


def read(key, **options):
    return cos.get_object(Bucket=bucket, Key=key, **options)["Body"].get_raw_stream().read()


def refused(what, code, call, **arguments):
    try:
        call(**arguments)
    except CosServiceError as error:
        return equal(what, error.get_error_code(), code)
    raise SystemExit(f"{what}: it was not refused")


def keys(**options):
    found, marker = [], ""
    while True:
        page = cos.list_objects(Bucket=bucket, Marker=marker, MaxKeys=2, **options)
        found += [c["Key"] for c in page.get("Contents", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        if page["IsTruncated"] == "false":
            return sorted(found)
        marker = page["NextMarker"]


hello = "hellö".encode()
put = cos.put_object(Bucket=bucket, Key="python/a b+c&ü", Body=hello, EnableMD5=True, ContentType="text/plain",
                     Metadata={"x-cos-meta-topic": "orders"})
equal("put gives the CRC", "x-cos-hash-crc64ecma" in put, True)
equal("get", read("python/a b+c&ü"), hello)
equal("range", read("python/a b+c&ü", Range="bytes=1-3"), hello[1:4])
head = cos.head_object(Bucket=bucket, Key="python/a b+c&ü")
equal("metadata", (head["x-cos-meta-topic"], head["Content-Type"], head["ETag"]), ("orders", "text/plain", put["ETag"]))
equal("what Go wrote", read("go/whole"), b"from Go")
equal("what Go wrote in parts", len(read("go/parts")), 3 * MIB)

parts = [b"1" * MIB, b"2" * MIB, b"3"]
upload = cos.create_multipart_upload(Bucket=bucket, Key="python/parts")["UploadId"]
done = []
for number, part in enumerate(parts, 1):
    answer = cos.upload_part(Bucket=bucket, Key="python/parts", Body=part, PartNumber=number, UploadId=upload)
    done.append({"PartNumber": number, "ETag": answer["ETag"]})
listed = cos.list_parts(Bucket=bucket, Key="python/parts", UploadId=upload)["Part"]
equal("list parts", [int(p["Size"]) for p in listed], [len(p) for p in parts])
equal("list uploads", len(cos.list_multipart_uploads(Bucket=bucket, Prefix="python/")["Upload"]), 1)
refused("parts out of order", "InvalidPartOrder", cos.complete_multipart_upload, Bucket=bucket, Key="python/parts",
        UploadId=upload, MultipartUpload={"Part": done[::-1]})
cos.complete_multipart_upload(Bucket=bucket, Key="python/parts", UploadId=upload, MultipartUpload={"Part": done})
equal("multipart", read("python/parts"), b"".join(parts))
upload = cos.create_multipart_upload(Bucket=bucket, Key="python/given up")["UploadId"]
cos.abort_multipart_upload(Bucket=bucket, Key="python/given up", UploadId=upload)

cos.copy_object(Bucket=bucket, Key="python/copy", CopySource={"Bucket": bucket, "Key": "python/a b+c&ü", "Region": region})
equal("copy", read("python/copy"), hello)
cos.append_object(Bucket=bucket, Key="python/log", Position=0, Data=b"one,")
equal("append", cos.append_object(Bucket=bucket, Key="python/log", Position=4, Data=b"two")["x-cos-next-append-position"], "7")
tags = {"TagSet": {"Tag": [{"Key": "team", "Value": "etl"}]}}
cos.put_object_tagging(Bucket=bucket, Key="python/log", Tagging=tags)
equal("tags", cos.get_object_tagging(Bucket=bucket, Key="python/log")["TagSet"]["Tag"], tags["TagSet"]["Tag"])

everything = ["python/a b+c&ü", "python/copy", "python/log", "python/parts"]
equal("list", keys(Prefix="python/"), everything)
equal("list folders", keys(Delimiter="/"), ["go/", "python/"])

url = cos.get_presigned_url(Bucket=bucket, Key="python/by URL", Method="PUT", Expired=60)
equal("presigned put", requests.put(url, data=b"by URL", proxies=proxies, timeout=60).status_code, 200)
url = cos.get_presigned_url(Bucket=bucket, Key="python/by URL", Method="GET", Expired=60)
equal("presigned get", requests.get(url, proxies=proxies, timeout=60).content, b"by URL")
equal("presigned for another", requests.get(url.replace("by", "my"), proxies=proxies, timeout=60).status_code, 403)

refused("no such key", "NoSuchKey", cos.get_object, Bucket=bucket, Key="python/none")
refused("a wrong key", "SignatureDoesNotMatch", client("wrong").get_object, Bucket=bucket, Key="python/copy")
cos.delete_object(Bucket=bucket, Key="python/by URL")
cos.delete_objects(Bucket=bucket, Delete={"Object": [{"Key": "python/log"}, {"Key": "python/copy"}], "Quiet": "true"})
equal("delete", keys(Prefix="python/"), ["python/a b+c&ü", "python/parts"])
cos.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rule": [
    {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": "30"}}]})
equal("lifecycle", cos.get_bucket_lifecycle(Bucket=bucket)["Rule"][0]["ID"], "r")
equal("buckets", bucket in [b["Name"] for b in cos.list_buckets()["Buckets"]["Bucket"]], True)
