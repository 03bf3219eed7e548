"""Deploys a function with the official SDK, uses all of it, and removes it.

The API is at SCF_ENDPOINT, the keys are SCF_ID and SCF_KEY, the function's zip
is the file SCF_ZIP. It prints what it did, and ends with 1 at the first
difference.
"""
import base64
import json
import os
import time
import warnings

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.scf.v20180416 import models, scf_client

warnings.simplefilter("error")  # the SDK warns of fields that it does not know
NAME = "sdk-python"


def client(secret_id, secret_key):
    http = HttpProfile(protocol="http", endpoint=os.environ["SCF_ENDPOINT"], reqTimeout=60)
    return scf_client.ScfClient(credential.Credential(secret_id, secret_key), "ap-guangzhou", ClientProfile(httpProfile=http))


scf = client(os.environ["SCF_ID"], os.environ["SCF_KEY"])


def call(action, to=scf, **parameters):
    request = getattr(models, action + "Request")()
    request.from_json_string(json.dumps({"FunctionName": NAME, **parameters}))
    return getattr(to, action)(request)


def refused(code, action, to=scf, **parameters):
    try:
        call(action, to, **parameters)
    except TencentCloudSDKException as e:
        assert e.code == code and e.requestId, f"{action}: got {e}, want {code}"
        return
    raise AssertionError(f"{action} was not refused, want {code}")


def active(**parameters):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        f = call("GetFunction", **parameters)
        if f.Status == "Active":
            return f
        assert not f.Status.endswith("Failed"), f.to_json_string()
        time.sleep(0.02)
    raise AssertionError("not Active in time")


def colour(**parameters):
    result = call("Invoke", ClientContext="{}", LogType="Tail", **parameters).Result
    assert result.InvokeResult == 0 and result.FunctionRequestId in result.Log, result.to_json_string()
    return [e for e in json.loads(result.RetMsg)["Environ"] if e.startswith("COLOUR=")][0][len("COLOUR="):]


def variables(colour):
    return {"Variables": [{"Key": "COLOUR", "Value": colour}]}


refused("AuthFailure.SignatureFailure", "GetFunction", client(os.environ["SCF_ID"], "wrong"))
refused("AuthFailure.SecretIdNotFound", "GetFunction", client("nobody", os.environ["SCF_KEY"]))
refused("ResourceNotFound.Function", "GetFunction")
with open(os.environ["SCF_ZIP"], "rb") as f:
    code = base64.b64encode(f.read()).decode()
call("CreateFunction", Code={"ZipFile": code}, Handler="main", Runtime="Go1", MemorySize=256, Timeout=30,
     Environment=variables("blue"), Tags=[{"Key": "stage", "Value": "test"}])
f = active()
assert (f.MemorySize, f.Timeout, f.Environment.Variables[0].Value, f.Tags[0].Key) == (256, 30, "blue", "stage"), f.to_json_string()
refused("ResourceInUse.FunctionName", "CreateFunction", Code={"ZipFile": code}, Handler="main", Runtime="Go1")
assert colour() == "blue"

published = call("PublishVersion", Description="the first")
assert published.FunctionVersion == "1", published.to_json_string()
active(Qualifier="1")
call("UpdateFunctionCode", ZipFile=code, Handler="main")
active()
call("UpdateFunctionConfiguration", Environment=variables("green"), MemorySize=128)
active()
assert (colour(), colour(Qualifier="1")) == ("green", "blue")
assert [v.Version for v in call("ListVersionByFunction", OrderBy="AddTime", Order="ASC").Versions] == ["$LATEST", "1"]

call("CreateAlias", Name="live", FunctionVersion="1")
assert colour(Qualifier="live") == "blue"
call("UpdateAlias", Name="live", FunctionVersion="1",
     RoutingConfig={"AdditionalVersionWeights": [{"Version": "$LATEST", "Weight": 1}]})
assert colour(Qualifier="live") == "green"
alias = call("GetAlias", Name="live")
assert alias.RoutingConfig.AdditionalVersionWeights[0].Weight == 1, alias.to_json_string()
assert [a.Name for a in call("ListAliases").Aliases] == ["$DEFAULT", "live"]

trigger = call("CreateTrigger", TriggerName="hourly", Type="timer", TriggerDesc="0 0 * * * * *", Enable="OPEN", Qualifier="live")
assert trigger.TriggerInfo.TriggerDesc == '{"cron":"0 0 * * * * *"}' and trigger.TriggerInfo.Enable == 1, trigger.to_json_string()
call("UpdateTrigger", TriggerName="hourly", Type="timer", TriggerDesc="30 0 * * * * *", Enable="OPEN", Qualifier="live")
call("UpdateTriggerStatus", TriggerName="hourly", Type="timer", Enable="CLOSE", Qualifier="live")
triggers = call("ListTriggers").Triggers
assert [(t.TriggerName, t.Enable, t.TriggerDesc) for t in triggers] == [("hourly", 0, '{"cron":"30 0 * * * * *"}')], triggers
call("DeleteTrigger", TriggerName="hourly", Type="timer", Qualifier="live")

sent = call("Invoke", InvocationType="Event", ClientContext="{}").Result.FunctionRequestId
deadline = time.monotonic() + 120
while not (logs := call("GetFunctionLogs", FunctionRequestId=sent)).TotalCount:
    assert time.monotonic() < deadline, "the event was not delivered"
    time.sleep(0.02)
assert logs.Data[0].RetCode == 0 and logs.Data[0].RequestId == sent, logs.to_json_string()
assert call("GetFunctionAddress").CodeSha256

request = models.ListFunctionsRequest()
request.SearchKey = NAME
listed = scf.ListFunctions(request)
assert [f.FunctionName for f in listed.Functions] == [NAME] and listed.TotalCount == 1, listed.to_json_string()
call("DeleteAlias", Name="live")
call("DeleteFunction", Qualifier="1")
call("DeleteFunction")
while scf.ListFunctions(request).TotalCount:
    assert time.monotonic() < deadline + 120, "the function was not deleted"
    time.sleep(0.02)
print("done")
