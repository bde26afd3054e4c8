# What tfgate uses of boto3 (Apache-2.0), which has no types of its own.
from boto3 import session as session
