// A browser for pages without script: cookies, redirects and forms.

import { parse } from 'node-html-parser';

export class Browser {
  #cookies = new Map();

  /** `fill` has what to put into fields of these names; `redirectUri` is where the pages of others begin. */
  constructor({ fill, redirectUri }) {
    Object.assign(this, { fill, redirectUri });
  }

  /** From an authorization request to the URL that the client gets, through whatever pages come. */
  async authorize(url, decision = 'allow') {
    const end = await this.visit(url, { decision });
    if (!(end instanceof URL)) throw new Error(`neither sign-in nor consent: ${end.status} ${end.text}`);
    return end;
  }

  /** Fills and sends forms until a page has none; that page, or the URL that begins with `redirectUri`. */
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
      if (url.origin + url.pathname === this.redirectUri) return url;
      if (method === 'GET' && fields) url.search = fields;
      const answer = await fetch(url, {
        method,
        body: method === 'GET' ? undefined : fields,
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; '), origin: url.origin },
      });
      answer.headers.getSetCookie().forEach((cookie) => this.#keep(cookie));
      const location = answer.headers.get('location');
      if (location === null) {
        const html = parse(await answer.text());
        return { url, status: answer.status, html, text: html.structuredText };
      }
      await answer.body?.cancel();
      [method, url, fields] = ['GET', new URL(location, url), undefined];
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  // One host and no paths: enough for loopback, whose ports share their cookies.
  #keep(cookie) {
    const [pair, ...attributes] = cookie.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    if (attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute))) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

/** What a browser would send if no button were pressed. */
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
