"""Who is in an audience, as the account has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import pyarrow as pa

from t1data.audiences.columns import ID
from t1data.audiences.find import audience_number
from t1data.audiences.frames import to_frame
from t1data.client import Client
from t1data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["export", "list"]


def fetch_members(client: Client, audience: int | str, *, method: Method = "export") -> pd.DataFrame:
    """Return the members of an audience; nothing is changed.

    Parameters
    ----------
    client : Client
        With a management key: the Integration API does not say who is in an audience.
    audience : int or str
        Its number, or its name.
    method : {"export", "list"}
        One request for all ids, or one for each thousand members with their whole profiles; the ids are the same.

    Returns
    -------
    DataFrame
        ``integration_id``, in the account's order; without a row when nobody is in it.

    Raises
    ------
    InputError
        The client has no management key, or there is no audience of this name.
    NotFoundError
        There is no audience of this number.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key)
    ...     join = {"action": "add", "profileIntegrationId": "007", "audienceId": 748}
    ...     client.update_customer_profile_audiences({"data": [join]})
    ...     fetch_members(client, "Regulars")["integration_id"].tolist()
    ['007']
    """
    if method not in get_args(Method):
        raise InputError(f"method: got {method!r}, valid are {', '.join(map(repr, get_args(Method)))}")
    if client.management is None:
        raise InputError("audience: its members are read with a management key, and this client has none")
    number = audience_number(client, audience)
    if method == "export":
        ids = client.management.export_members(number)
    else:
        ids = [profile["integrationId"] for profile in client.management.list_members(number)]
    return to_frame(pa.table({ID: pa.array(ids, pa.string())}).to_reader())
