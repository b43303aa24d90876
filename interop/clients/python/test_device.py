"""The device authorization grant (RFC 8628), by requests-oauthlib over oauthlib's DeviceClient."""

import pytest
import requests
from oauthlib.oauth2 import DeviceClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, OAuth2Error
from requests_oauthlib import OAuth2Session

from quadrille import USER


class Device:
    def __init__(self, provider, client):
        self.metadata = provider.metadata()
        self.client = client
        self.session = OAuth2Session(client=DeviceClient(client.client_id))
        self.secret = {"client_secret": client.client_secret} if client.client_secret else {}
        asked = {"client_id": client.client_id, "scope": "photos:read", **self.secret}
        endpoint = self.metadata["device_authorization_endpoint"]
        self.codes = requests.post(endpoint, data=asked, timeout=10).json()

    def poll(self):
        code, endpoint = self.codes["device_code"], self.metadata["token_endpoint"]
        return self.session.fetch_token(endpoint, device_code=code, include_client_id=True, **self.secret)


@pytest.mark.parametrize("options", [("--public",), ()])
def test_a_device_waits_until_its_user_agrees_and_calls_the_api(devices, browser, options):
    device = Device(devices, devices.device_client(*options))
    with pytest.raises(OAuth2Error, match="authorization_pending"):
        device.poll()
    with pytest.raises(OAuth2Error, match="slow_down"):
        device.poll()
    page = browser.visit(device.codes["verification_uri_complete"])
    assert "Television has access" in page.text()
    token = device.poll()
    assert token["scope"] == ["photos:read"]
    me = device.session.get(devices.me).json()
    assert (me["username"], me["client_id"]) == (USER, device.client.client_id)
    renewed = device.session.refresh_token(device.metadata["token_endpoint"], client_id=device.client.client_id, **device.secret)
    assert renewed["access_token"] != token["access_token"]


def test_a_device_learns_that_its_user_said_no(devices, browser):
    device = Device(devices, devices.device_client("--public"))
    page = browser.visit(device.codes["verification_uri_complete"], decision="deny")
    assert "Television was not let in" in page.text()
    with pytest.raises(OAuth2Error, match="access_denied"):
        device.poll()


def test_a_code_works_once(devices, browser):
    device = Device(devices, devices.device_client("--public"))
    browser.visit(device.codes["verification_uri_complete"])
    device.poll()
    with pytest.raises(InvalidGrantError):
        device.poll()
    assert device.session.get(devices.me).status_code == 401
