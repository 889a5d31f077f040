// SPDX-License-Identifier: MIT
// node --import tsx scripts/picture.ts: draws docs/img/overview.svg, the picture of README.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The path of the picture, from the root of the repository. */
export const OVERVIEW = 'docs/img/overview.svg';

const WIDTH = 800;
const HEIGHT = 470;
const INK = '#1f2933';
const FAINT = '#52606d';

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Box extends Rectangle {
  title: string;
  lines?: readonly string[];
  fill: string;
  border: string;
}

interface Arrow {
  from: readonly [x: number, y: number];
  to: readonly [x: number, y: number];
  /** The text above a horizontal arrow, or to the right of a vertical one. */
  label: string;
  both?: boolean;
}

const DOM0 = { fill: '#ffffff', border: '#3867a6' };
const GUEST = { fill: '#ffffff', border: '#b8741a' };

const AREAS: readonly Box[] = [
  { x: 16, y: 16, width: 494, height: 384, title: 'Dom0', fill: '#eef4fb', border: '#c5d6ea' },
  { x: 574, y: 16, width: 210, height: 384, title: 'a Xen domain', fill: '#fdf4e6', border: '#ecd6b3' },
];

const BOXES: readonly Box[] = [
  {
    ...{ x: 36, y: 54, width: 454, height: 54 },
    title: 'containerd, docker, podman',
    lines: ['unchanged, with their own shim or conmon'],
    ...DOM0,
  },
  {
    ...{ x: 36, y: 160, width: 190, height: 94 },
    title: 'vxn-oci-runtime',
    lines: ['create, start, kill, delete ...', 'decides, writes files,', 'and exits'],
    ...DOM0,
  },
  {
    ...{ x: 300, y: 160, width: 190, height: 94 },
    title: 'vxn-monitor',
    lines: ['owns the domain; its pid is', "the container's pid: stdio,", 'signals, exit status'],
    ...DOM0,
  },
  {
    ...{ x: 594, y: 54, width: 170, height: 54 },
    title: 'the program',
    lines: ['in its own namespaces'],
    ...GUEST,
  },
  {
    ...{ x: 594, y: 160, width: 170, height: 94 },
    title: 'vxn-agent',
    lines: ['first process of the', "guest's own kernel;", 'starts the program'],
    ...GUEST,
  },
  { x: 36, y: 284, width: 454, height: 40, title: "eth0 in the container's network namespace", ...DOM0 },
  { x: 594, y: 284, width: 170, height: 40, title: 'eth0', ...GUEST },
  { x: 36, y: 342, width: 454, height: 40, title: 'root.img, made from the bundle', ...DOM0 },
  { x: 594, y: 342, width: 170, height: 40, title: 'xvda, the root', ...GUEST },
  { x: 16, y: 416, width: 768, height: 38, title: 'Xen', fill: '#e4e7eb', border: '#cbd2d9' },
];

const ARROWS: readonly Arrow[] = [
  { from: [131, 108], to: [131, 160], label: 'a call for each verb' },
  { from: [395, 108], to: [395, 160], label: 'waits for it' },
  { from: [226, 207], to: [300, 207], label: 'requests', both: true },
  { from: [490, 207], to: [594, 207], label: 'vchan ring', both: true },
  { from: [679, 160], to: [679, 108], label: 'starts' },
  { from: [490, 304], to: [594, 304], label: 'vif', both: true },
  { from: [490, 362], to: [594, 362], label: 'block device', both: true },
];

const quoted = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const label = (x: number, y: number, words: string, attributes: string): string =>
  `  <text x="${x}" y="${y}" ${attributes}>${quoted(words)}</text>`;

const frame = ({ x, y, width, height, fill, border }: Box): string =>
  `  <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${border}" ` +
  'stroke-width="1.5"/>';

const area = (box: Box): string[] => [
  frame(box),
  label(box.x + 20, box.y + 24, box.title, `font-weight="bold" fill="${FAINT}"`),
];

/** A box with its words in the middle. */
function box(b: Box): string[] {
  const lines = b.lines ?? [];
  const middle = b.x + b.width / 2;
  const first = b.y + b.height / 2 + 5 - (lines.length * 18) / 2;
  return [
    frame(b),
    label(middle, first, b.title, `text-anchor="middle" font-weight="bold" fill="${INK}"`),
    ...lines.map((line, i) =>
      label(middle, first + 18 * (i + 1), line, `text-anchor="middle" fill="${FAINT}"`),
    ),
  ];
}

function arrow({ from, to, label: words, both }: Arrow): string[] {
  const [[x1, y1], [x2, y2]] = [from, to];
  const heads = `marker-end="url(#head)"${both === true ? ' marker-start="url(#head)"' : ''}`;
  const line = `  <path d="M${x1} ${y1} L${x2} ${y2}" stroke="${INK}" stroke-width="1.5" ${heads}/>`;
  if (x1 === x2) return [line, label(x1 + 10, (y1 + y2) / 2 + 4, words, `fill="${INK}"`)];
  return [line, label((x1 + x2) / 2, y1 - 8, words, `text-anchor="middle" fill="${INK}"`)];
}

/** The picture as SVG. It shows where each program runs, and the connections between them. */
export function overview(): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" ` +
      `height="${HEIGHT}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="13">`,
    '  <title>vxn: an engine in Dom0, the runtime, the monitor, and the domain of a container</title>',
    '  <defs>',
    '    <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ' +
      'orient="auto-start-reverse">',
    `      <path d="M0 0 L8 4 L0 8 z" fill="${INK}"/>`,
    '    </marker>',
    '  </defs>',
    `  <rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...AREAS.flatMap(area),
    ...BOXES.flatMap(box),
    ...ARROWS.flatMap(arrow),
    '</svg>',
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = join(import.meta.dirname, '..', OVERVIEW);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, overview());
}
