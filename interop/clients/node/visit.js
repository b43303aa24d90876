// Users with browsers, for tests in other languages.
//
// Each line of standard input is { browser, urls, fill }. The browser of that name, which keeps its cookies, opens
// the URLs in turn, fills in forms and sends them until a page has none; the last pages are printed as one line of
// JSON: [{ url, status, text }].

import { createInterface } from 'node:readline';

import { Browser } from './browser.js';

const browsers = new Map();
for await (const line of createInterface(process.stdin)) {
  const { browser: name, urls, fill } = JSON.parse(line);
  if (!browsers.has(name)) browsers.set(name, new Browser({}));
  const browser = Object.assign(browsers.get(name), { fill });
  const pages = [];
  for (const url of urls) {
    const page = await browser.visit(url);
    pages.push({ url: page.url.href, status: page.status, text: page.text });
  }
  console.log(JSON.stringify(pages));
}
