"""`make sign-in`: one more link that signs a browser in once."""

from __future__ import annotations

from scripts.api_session import ApiSession
from scripts.clone import IN_CLONE
from scripts.failures import exit_with_sentence

if __name__ == "__main__":
    with exit_with_sentence():
        print(ApiSession.from_config(IN_CLONE.config).make_sign_in_link().url)
