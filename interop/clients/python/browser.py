"""A browser for pages without script: cookies, redirects, links and forms."""

import re
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup


class Browser:
    def __init__(self, user, password, redirect_uri, unticks=()):
        self.user, self.password, self.redirect_uri = user, password, redirect_uri
        # The scopes that the user does not allow.
        self.unticks = unticks
        self.http = requests.Session()
        self.http.headers.update(
            {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        )
        self.signed_in = self.asked = 0
        # The fields of the form that ended at the redirect URI, if one did.
        self.posted = None

    def authorize(self, url, decision="allow"):
        """From an authorization request to the URL that the client gets, through all pages in between."""
        end = self.visit(url, decision)
        assert isinstance(end, str), f"neither sign-in nor consent: {end.status} {end.text()}"
        return end

    def visit(self, url, decision="allow"):
        """From a URL to the end: the URL that the client gets, or a page without such forms."""
        page = self._follow("GET", url)
        for _ in range(4):
            if isinstance(page, str):
                return page
            if form := page.form_with("username"):
                self.signed_in += 1
                page = self._submit(form, {"username": self.user, "password": self.password})
            elif form := page.form_with("user_code") or page.form_to(self.redirect_uri):
                page = self._submit(form, {})
            elif form := page.form_with("decision"):
                self.asked += 1
                page = self._submit(form, {"decision": decision}, self.unticks)
            else:
                return page
        raise AssertionError(f"going in circles at {page.url}")

    def _submit(self, form, filled, unticks=()):
        fields = [(name, value) for name, value in form.fields() if not (name == "scope" and value in unticks)]
        fields = [(name, value) for name, value in fields if name not in filled] + list(filled.items())
        return self._follow(form.method, form.action, fields)

    def _follow(self, method, url, fields=None):
        for _ in range(10):
            if re.split("[?#]", url)[0] == self.redirect_uri:
                self.posted = dict(fields) if method == "POST" else None
                return url
            body = {"params": fields} if method == "GET" else {"data": fields}
            answer = self.http.request(method, url, **body, allow_redirects=False, timeout=20)
            if not answer.is_redirect:
                return Page(url, answer)
            url = urljoin(url, answer.headers["location"])
            method, fields = "GET", None
        raise AssertionError(f"too many redirects, last to {url}")


class Page:
    def __init__(self, url, answer):
        assert answer.headers["content-type"].startswith("text/html"), answer.text
        self.url, self.status = url, answer.status_code
        self.html = BeautifulSoup(answer.text, "html.parser")

    def form_with(self, name):
        control = self.html.select_one(f'form [name="{name}"]')
        return control and Form(self.url, control.find_parent("form"))

    def form_to(self, action):
        form = self.html.select_one(f'form[action="{action}"]')
        return form and Form(self.url, form)

    def text(self):
        return self.html.get_text(" ", strip=True)


class Form:
    def __init__(self, base, tag):
        self.tag = tag
        self.action = urljoin(base, tag.get("action") or base)
        self.method = (tag.get("method") or "get").upper()

    def fields(self):
        """The fields that a browser sends if no button is pressed."""
        for control in self.tag.select("input[name], textarea[name]"):
            kind = (control.get("type") or "text").lower()
            if kind in ("submit", "button", "image", "reset") or control.has_attr("disabled"):
                continue
            if kind in ("checkbox", "radio"):
                if control.has_attr("checked"):
                    yield control["name"], control.get("value", "on")
            else:
                yield control["name"], control.get("value", "")


def parameters(url):
    """The query of a URL, or its fragment if it has one, without repeated parameters."""
    parts = urlsplit(url)
    assert not (parts.query and parts.fragment), url
    query = parse_qs(parts.fragment or parts.query, strict_parsing=True, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values()), query
    return {name: values[0] for name, values in query.items()}
