/** What every page of ours must be: well-formed, alone in the world, and described in words. */

const voids = new Set(['meta', 'link', 'br', 'hr', 'img', 'input']);

/** Sentences about what is wrong with a page; empty when nothing is. */
export function problemsOf(page: string): string[] {
  const problems: string[] = [];
  if (!page.startsWith('<!doctype html>\n<html lang="en">'))
    problems.push('It does not begin as HTML with a language.');
  const open: string[] = [];
  const ids = new Set<string>();
  const bare = page.replace(/<!doctype html>/, '').replace(/<style>[\s\S]*?<\/style>/g, '<style></style>');
  for (const [tag, end, name, attributes, self] of bare.matchAll(
    /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>|</g,
  )) {
    if (name === undefined) {
      problems.push(`A "<" that begins no tag: ${bare.slice(bare.indexOf(tag), 60)}`);
    } else if (end) {
      const last = open.pop();
      if (last !== name) problems.push(`</${name}> closes <${last}>.`);
    } else if (!self && !voids.has(name)) {
      open.push(name);
    }
    for (const [, id] of (attributes ?? '').matchAll(/\sid="([^"]*)"/g)) {
      if (ids.has(id)) problems.push(`The id ${id} is there twice.`);
      ids.add(id);
    }
    for (const [, key, url] of (attributes ?? '').matchAll(/\s(href|src|xlink:href)="([^"]*)"/g)) {
      if (!/^(#|data:image\/png;base64,)/.test(url)) problems.push(`${key} leads outside: ${url.slice(0, 60)}`);
    }
    if (name === 'img' && !/\salt="[^"]+"/.test(attributes)) problems.push('An <img> has no alt.');
  }
  if (open.length > 0) problems.push(`Not closed: ${open.join(', ')}.`);
  if (/url\((?!#)|@import|https?:\/\/(?!www\.w3\.org\/)/.test(page)) problems.push('It names an address outside.');
  for (const [, id] of page.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)) {
    if (!ids.has(id)) problems.push(`#${id} leads nowhere.`);
  }
  const pictures = bare.match(/<svg[^>]*role="img"[^>]*>(?:<title>[^<]+<\/title>)?/g) ?? [];
  for (const picture of pictures)
    if (!picture.endsWith('</title>')) problems.push(`A picture has no title: ${picture}`);
  const silent = bare.match(/<svg(?![^>]*(?:role="img"|aria-hidden="true"))[^>]*>/g) ?? [];
  for (const picture of silent) problems.push(`A picture is neither described nor hidden: ${picture}`);
  const tables = bare.match(/<table[^>]*>\s*(?:<caption>)?/g) ?? [];
  for (const table of tables) if (!table.endsWith('<caption>')) problems.push('A table has no caption.');
  return problems;
}
