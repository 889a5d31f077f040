// SPDX-License-Identifier: MIT
// The pages lead somewhere: their links, and the files and functions that they name.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const NOT_OURS = new Set(['node_modules', '.git', '.lab', 'dist', 'build']);
const PAGES = [...readdirSync(ROOT), ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
  .sort();

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const prose = (page: string): string => read(page).replace(/^```.*?^```/gms, '');

/** The names by which a link can point into a page, as GitHub makes them of its headings. */
function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Every file below a folder with one of these endings. */
function filesBelow(folder: string, endings: readonly string[]): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(path, endings);
    return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
  });
}

function brokenLinks(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, file))) return [target];
    return anchor !== undefined && !anchors(file).includes(anchor) ? [target] : [];
  });
}

// Beginnings of paths that can only mean a file of this repository.
const OURS =
  /^(src|native|lab|scripts|templates|schema|man|recipes-\w+|oe-selftest|classes-recipe)\/[\w./-]+$/;

function missingFiles(page: string): string[] {
  return [...prose(page).matchAll(/`([^`\s*]+)`/g)].flatMap(([, path = '']) =>
    OURS.test(path) && !/\/[A-Z]+\b|^native\/build/.test(path) && !existsSync(join(ROOT, path)) ? [path] : [],
  );
}

for (const page of PAGES) {
  test(`${page}: every link leads somewhere, every file is there`, () => {
    assert.deepEqual([...brokenLinks(page), ...missingFiles(page)], []);
  });
}

test('the functions that docs/architecture.md names are there', () => {
  const sources = [...filesBelow('src', ['.ts']), ...filesBelow('native', ['.c'])].map(read).join('\n');
  const names = [...prose('docs/architecture.md').matchAll(/`([A-Za-z]\w+)\(\)`/g)].map(
    ([, name = '']) => name,
  );
  assert.ok(names.length > 20);
  const missing = names.filter((name) => !new RegExp(`\\b${name}(<\\w+>)?\\(`).test(sources));
  assert.deepEqual(missing, []);
});

test('architecture.md has a row for every folder of src/ and every program of native/', () => {
  const text = read('docs/architecture.md');
  const folders = ['src', 'native', 'native/monitor'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !NOT_OURS.has(entry.name))
      .map((entry) => `${folder}/${entry.name}/`),
  );
  assert.deepEqual(
    folders.filter((folder) => !text.includes(`\`${folder}\``)),
    [],
  );
});

test('README.md has every top folder', () => {
  const text = read('README.md');
  const folders = readdirSync(ROOT).filter(
    (name) => !NOT_OURS.has(name) && statSync(join(ROOT, name)).isDirectory(),
  );
  assert.deepEqual(
    folders.filter((folder) => !text.includes(`\`${folder}/\``)),
    [],
  );
});
