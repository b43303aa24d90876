// A browser for pages without script: cookies, redirects and forms.

import { parse } from 'node-html-parser';

export class Browser {
  #cookies = new Map();

  constructor({ user, password, redirectUri }) {
    Object.assign(this, { user, password, redirectUri });
  }

  /** From an authorization request to the URL that the client gets, through whatever pages come. */
  async authorize(url, decision = 'allow') {
    let page = await this.#follow('GET', new URL(url));
    for (let step = 0; step < 4; step += 1) {
      if (page instanceof URL) return page;
      const signIn = formWith(page, 'username');
      const consent = formWith(page, 'decision');
      if (signIn) page = await this.#submit(page, signIn, { username: this.user, password: this.password });
      else if (consent) page = await this.#submit(page, consent, { decision });
      else throw new Error(`neither sign-in nor consent: ${page.status} ${page.html.structuredText}`);
    }
    throw new Error(`going in circles at ${page.url}`);
  }

  #submit(page, form, filled) {
    const fields = new URLSearchParams(fieldsOf(form).filter(([name]) => !(name in filled)));
    for (const [name, value] of Object.entries(filled)) fields.append(name, value);
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
      if (location === null) return { url, status: answer.status, html: parse(await answer.text()) };
      await answer.body?.cancel();
      [method, url, fields] = ['GET', new URL(location, url), undefined];
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  // One host and no paths: enough for one provider.
  #keep(cookie) {
    const [pair, ...attributes] = cookie.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    if (attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute))) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

function formWith(page, name) {
  return page.html?.querySelectorAll('form').find((form) => form.querySelector(`[name="${name}"]`));
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
