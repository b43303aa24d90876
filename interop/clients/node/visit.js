// A user with a browser, for tests in other languages: node visit.js '{ "urls": [...], "fill": { FIELD: VALUE } }'
//
// Opens the URLs in turn, with one set of cookies. Fills in forms and sends them until a page has none;
// prints those last pages as JSON: [{ url, status, text }].

import { Browser } from './browser.js';

const { urls, fill } = JSON.parse(process.argv[2]);
const browser = new Browser({ fill });
const pages = [];
for (const url of urls) {
  const page = await browser.visit(url);
  pages.push({ url: page.url.href, status: page.status, text: page.text });
}
console.log(JSON.stringify(pages));
