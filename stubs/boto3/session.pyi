from typing import Any

class Session:
    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        region_name: str | None = None,
        profile_name: str | None = None,
    ) -> None: ...
    # Clients are made from service descriptions when they are asked for.
    def client(self, service_name: str, **options: Any) -> Any: ...
