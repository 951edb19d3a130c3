"""The kinds of single value the schema is made of, each a plain type with its rule attached.

A `form` names a rule that a type alone cannot say; `forms.py` holds the rules, this file only the names.
"""

from typing import Annotated, Any

from msgspec import Meta

# A credential: text, or an object {source: "env", id: "NAME"} that says where to take it from.
Secret = Annotated[str, Meta(extra={"form": "secret"})]
# The same where people also write a number or true and false: in variables, which are text, as it stands.
SecretOrNumber = Annotated[str, Meta(extra={"form": "secret-or-number"})]
# The same in headers, which are one line of text.
HeaderValue = Annotated[str, Meta(extra={"form": "header"})]
# A path of the operator's; a leading ~ is replaced by the home directory while loading.
PathText = Annotated[str, Meta(extra={"form": "path"})]
# The path of a URL: "" or such as "/a/b" once the file is loaded.
UrlPath = Annotated[str, Meta(extra={"form": "url-path"})]
HttpUrl = Annotated[str, Meta(extra={"form": "url"})]
# Such as "30s", "5m" or "1h"; a number alone means minutes.
Duration = Annotated[str, Meta(extra={"form": "duration"})]
# How long something is kept: the same, but a number alone, written as text or not, means days.
Age = Annotated[str, Meta(extra={"form": "age"})]
# Such as "500mb" or "10gb", in powers of 1024; a number alone means bytes.
Size = Annotated[str, Meta(extra={"form": "size"})]
IpAddress = Annotated[str, Meta(extra={"form": "address"})]
IpNetwork = Annotated[str, Meta(extra={"form": "network"})]
RegularExpression = Annotated[str, Meta(min_length=1, extra={"form": "regex"})]
# A name of the system's table of time zones.
Zone = Annotated[str, Meta(extra={"form": "zone"})]
# Left exactly as written: no variable in it is filled in here.
AsWritten = Annotated[dict[str, Any], Meta(extra={"form": "as-written"})]
Filled = Annotated[str, Meta(min_length=1)]

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(gt=0, le=2**53 - 1)]
NotNegative = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Seconds = Annotated[float, Meta(gt=0, le=10**9)]
Rate = Annotated[float, Meta(gt=0, le=10**9)]
# Whatever number stands in the file: what too small a one means is the business of who reads it.
AnyNumber = Annotated[float, Meta(ge=-(2**53), le=2**53)]
Amount = Annotated[float, Meta(ge=0, le=10**9)]
# 0 stands for "unlimited", as in the systems the file is shared with.
SecondsOrUnlimited = Annotated[float, Meta(ge=0, le=10**9)]
