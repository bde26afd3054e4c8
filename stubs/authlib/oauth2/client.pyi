from typing import Any

class OAuth2Client:
    def __init__(
        self,
        session: object,
        client_id: str | None = ...,
        client_secret: str | None = ...,
        *,
        scope: str | None = ...,
        redirect_uri: str | None = ...,
        code_challenge_method: str | None = ...,
    ) -> None: ...
    def create_authorization_url(
        self, url: str, state: str | None = ..., code_verifier: str | None = ..., **kwargs: str
    ) -> tuple[str, str]: ...
    def fetch_token(
        self,
        url: str | None = ...,
        *,
        authorization_response: str | None = ...,
        state: str | None = ...,
        code_verifier: str | None = ...,
    ) -> dict[str, Any]: ...
