// A browser for pages without script: cookies, redirects and forms.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

import { parse } from 'node-html-parser';

export class Browser {
  #cookies = new Map();

  /**
   * `fill` has the values of fields by name; a URL that begins with `redirectUri` is not fetched. `posted` has
   * the fields that a form has sent there.
   */
  constructor({ fill, redirectUri }) {
    Object.assign(this, { fill, redirectUri });
  }

  /** From an authorization request to the URL that the client gets, through all pages in between. */
  async authorize(url, decision = 'allow') {
    const end = await this.visit(url, { decision });
    if (!(end instanceof URL)) throw new Error(`neither sign-in nor consent: ${end.status} ${end.text}`);
    return end;
  }

  /** Fills in and sends forms. Returns the first page without a form, or the URL that begins with `redirectUri`. */
  async visit(url, pressed = {}) {
    let page = await this.#follow('GET', new URL(url));
    for (let step = 0; step < 6; step += 1) {
      const form = page instanceof URL ? null : page.html.querySelector('form');
      if (!form) return page;
      page = await this.#submit(page, form, { ...this.fill, ...pressed });
    }
    throw new Error(`going in circles at ${page.url}: ${page.text}`);
  }

  #submit(page, form, known) {
    const there = Object.entries(known).filter(([name]) => form.querySelector(`[name="${name}"]`));
    const fields = new URLSearchParams(fieldsOf(form).filter(([name]) => !(name in known)).concat(there));
    const action = new URL(form.getAttribute('action') || page.url, page.url);
    return this.#follow((form.getAttribute('method') ?? 'get').toUpperCase(), action, fields);
  }

  async #follow(method, url, fields) {
    for (let hop = 0; hop < 10; hop += 1) {
      if (url.origin + url.pathname === this.redirectUri) {
        this.posted = method === 'POST' ? fields : undefined;
        return url;
      }
      if (method === 'GET' && fields) url.search = fields;
      const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
      const { status, headers, body } = await navigate(method, url, cookie, method === 'GET' ? undefined : fields);
      headers['set-cookie']?.forEach((cookie) => this.#keep(cookie));
      const onward = headers.location ?? headers.refresh?.match(/^0; ?url=(.*)$/i)?.[1];
      if (onward === undefined) {
        const html = parse(body);
        return { url, status, html, text: html.structuredText };
      }
      [method, url, fields] = ['GET', new URL(onward, url), undefined];
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  // Cookies of one host without paths suffice for loopback, whose ports share their cookies.
  #keep(cookie) {
    const [pair, ...attributes] = cookie.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    if (attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute))) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

/** Requests a page as a browser does. (The headers of `fetch` would name a script.) */
async function navigate(method, url, cookie, form) {
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  if (cookie) headers.cookie = cookie;
  if (form) Object.assign(headers, { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin });
  const request = (url.protocol === 'https:' ? https : http).request(url, { method, headers });
  request.end(form?.toString());
  const [answer] = await once(request, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

/** The fields that a browser sends if no button is pressed. */
function fieldsOf(form) {
  return form.querySelectorAll('input').flatMap((input) => {
    const [name, type] = [input.getAttribute('name'), input.getAttribute('type') ?? 'text'];
    if (!name || ['submit', 'button', 'image', 'reset'].includes(type) || input.hasAttribute('disabled')) return [];
    if (['checkbox', 'radio'].includes(type)) {
      return input.hasAttribute('checked') ? [[name, input.getAttribute('value') ?? 'on']] : [];
    }
    return [[name, input.getAttribute('value') ?? '']];
  });
}
