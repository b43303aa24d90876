// A person with a browser: node visit.js URL [FIELD=VALUE]... fills the forms that come after URL with what is given,
// sends them until a page has none, and prints that page as JSON: { url, status, text }.

import { Browser } from './browser.js';

const [url, ...fields] = process.argv.slice(2);
const fill = Object.fromEntries(fields.map((field) => field.split(/=(.*)/s, 2)));
const page = await new Browser({ fill }).visit(url);
console.log(JSON.stringify({ url: page.url.href, status: page.status, text: page.text }));
