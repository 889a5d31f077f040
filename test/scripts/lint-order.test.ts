// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parseSymbols } from '../../scripts/lint-order/calls.ts';
import { circles, knots } from '../../scripts/lint-order/cycles.ts';
import { IMPORTS } from '../../scripts/lint-order/edges.ts';
import { includedBy } from '../../scripts/lint-order/includes.ts';
import { applyExceptions, lintOrder } from '../../scripts/lint-order/lint.ts';
import { C, type Order, TYPESCRIPT } from '../../scripts/lint-order/order.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/lint-order.ts');

type Tree = Readonly<Record<string, string>>;

/** Writes a tree's files into a new folder and gives that to body. */
function inTree<T>(tree: Tree, body: (root: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), 'vxn-order-'));
  try {
    for (const [file, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return body(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const lint = (tree: Tree): string[] => inTree(tree, lintOrder);

const HOST_MAY = 'src/host may import no other folder';

describe('the tables', () => {
  const rows = (order: Order): { from: string; to: string }[] =>
    Object.entries(order).flatMap(([from, targets]) =>
      targets.flatMap((target) =>
        Object.keys(order)
          .filter((to) => to !== from && (to === target || to.startsWith(`${target}/`)))
          .map((to) => ({ from, to })),
      ),
    );

  for (const [name, order] of Object.entries({ TypeScript: TYPESCRIPT, C })) {
    it(`have no circle of folders in ${name}`, () => {
      assert.deepEqual(knots(rows(order)), []);
    });
  }
});

describe('the order of imports', () => {
  it('lets a folder import itself and what its row has', () => {
    assert.deepEqual(
      lint({
        'src/host/a.ts': 'export const a = 1;',
        'src/host/b.ts': "export { a } from './a.ts';",
        'src/xen/x.ts': "import { a } from '../host/a.ts'; export const x = a;",
        'src/cli/main.ts':
          "import { x } from '../xen/x.ts'; import { readFileSync } from 'node:fs'; x; readFileSync;",
        'lab/l.ts': "import { execa } from 'execa'; execa;",
        'scripts/s.ts': "import '../lab/l.ts';",
        'scripts/m.mjs': "import '../lab/l.ts';",
        'test/host/a.test.ts': "import '../../src/host/a.ts'; import '../../scripts/m.mjs';",
      }),
      [],
    );
  });

  const target = 'export type T = number; export const t = 1; export default t;';
  const forms: Tree = {
    'import { t }': "import { t } from '../xen/t.ts'; t;",
    'a bare import': "import '../xen/t.ts';",
    'import type': "import type { T } from '../xen/t.ts'; export type U = T;",
    'import with an inline type': "import { type T } from '../xen/t.ts'; export type U = T;",
    'export from': "export { t } from '../xen/t.ts';",
    'export all': "export * from '../xen/t.ts';",
    'export type from': "export type { T } from '../xen/t.ts';",
    'import()': "export const f = () => import('../xen/t.ts');",
    'import() of a template': 'export const f = () => import(`../xen/t.ts`);',
    'typeof import()': "export const f = (x: unknown) => x as typeof import('../xen/t.ts');",
    'an import type with a member': "export type U = import('../xen/t.ts').T;",
    'import = require()': "import t = require('../xen/t.ts'); t;",
    'require()': "declare const require: (name: string) => unknown; require('../xen/t.ts');",
    'a name without .ts': "import { t } from '../xen/t'; t;",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    'import() inside a template': "export const f = async () => `${(await import('../xen/t.ts')).t}`;",
    'an import on several lines, with comments':
      "import {\n  t, // one\n} /* from */ from\n  '../xen/t.ts'; t;",
  };
  for (const [name, text] of Object.entries(forms)) {
    it(`counts ${name}`, () => {
      assert.deepEqual(lint({ 'src/host/a.ts': text, 'src/xen/t.ts': target }), [
        `src/host/a.ts imports src/xen/t.ts: ${HOST_MAY}`,
      ]);
    });
  }

  it('counts a plain JavaScript file', () => {
    assert.deepEqual(lint({ 'lab/a.mjs': "import '../src/xen/t.ts';", 'src/xen/t.ts': target }), [
      'lab/a.mjs imports src/xen/t.ts: lab may import no other folder',
    ]);
  });

  const lookalikes: Tree = {
    'a line comment': "// import { t } from '../xen/t.ts';\nexport {};",
    'a block comment': "/* import('../xen/t.ts') */ export {};",
    'a string': 'export const s = "import { t } from \'../xen/t.ts\';";',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a file
    'a template': "export const s = `${1} import('../xen/t.ts')`;",
    'a regular expression': "export const s = /import('..xen.t.ts')/; // `\nexport const r = /[`]/;",
    'a method': "export const f = (o: { import(s: string): void }) => o.import('../xen/t.ts');",
  };
  for (const [name, text] of Object.entries(lookalikes)) {
    it(`does not take ${name} for an import`, () => {
      assert.deepEqual(lint({ 'src/host/a.ts': text, 'src/xen/t.ts': target }), []);
    });
  }

  it('wants to know each folder', () => {
    assert.deepEqual(
      lint({
        'src/new/a.ts': "import '../host/a.ts';",
        'src/b.ts': '',
        'src/host/a.ts': "import '../b.ts';",
      }),
      [
        'src is not in the order: add it to scripts/lint-order/order.ts',
        'src/new is not in the order: add it to scripts/lint-order/order.ts',
      ],
    );
  });

  it('takes a folder without a row for the one above it', () => {
    assert.deepEqual(
      lint({ 'src/domain/kinds/a.ts': "import '../../verbs/v.ts';", 'src/verbs/v.ts': 'export {};' }),
      [
        'src/domain/kinds/a.ts imports src/verbs/v.ts: src/domain may import ' +
          'src/host, src/spec, src/config, src/xen, src/channel only',
      ],
    );
  });

  it('lets src/ import nothing outside, and nobody import test/', () => {
    assert.deepEqual(
      lint({
        'package.json': '{}',
        'src/cli/a.ts': "import '../../package.json'; import '../../lab/l.ts';",
        'lab/l.ts': 'export {};',
        'scripts/s.ts': "import '../test/t.ts';",
        'test/t.ts': 'export {};',
      }),
      [
        'scripts/s.ts imports test/t.ts: scripts may import src, lab, test/fixtures only',
        'src/cli/a.ts imports package.json: src/cli may import src only',
        'src/cli/a.ts imports lab/l.ts: src/cli may import src only',
      ],
    );
  });

  it('wants imports that it can follow', () => {
    assert.deepEqual(
      lint({ 'src/host/a.ts': "import './gone.ts'; export const f = (s: string) => import(s);" }),
      [
        'src/host/a.ts imports src/host/gone.ts, which does not exist',
        'src/host/a.ts imports a module whose name it computes: name it in a literal',
      ],
    );
  });
});

describe('circles', () => {
  it('are found between three files, by types and by import() too', () => {
    assert.deepEqual(
      lint({
        'src/host/a.ts': "import type { B } from './b.ts'; export type A = B;",
        'src/host/b.ts': "export const c = () => import('./c.ts'); export type B = 1;",
        'src/host/c.ts': "export type { A } from './a.ts';",
      }),
      ['circle of imports: src/host/a.ts -> src/host/b.ts -> src/host/c.ts -> src/host/a.ts'],
    );
  });

  it('are found in a file that imports itself', () => {
    assert.deepEqual(lint({ 'src/host/a.ts': "import * as a from './a.ts'; a;" }), [
      'circle of imports: src/host/a.ts -> src/host/a.ts',
    ]);
  });

  it('of a knot are shown by the shortest, with the files of all', () => {
    const edges = ['ab', 'bc', 'cd', 'da', 'ca', 'xa', 'dy', 'pq', 'qp'].map((e) => ({
      from: e.slice(0, 1),
      to: e.slice(1),
    }));
    assert.deepEqual(circles(edges, IMPORTS), [
      'circle of imports: a -> b -> c -> a; the knot has 4 files: a, b, c, d',
      'circle of imports: p -> q -> p',
    ]);
  });

  it('are not what two ways to one file make', () => {
    const edges = ['ab', 'ac', 'bd', 'cd', 'bc'].map((e) => ({ from: e.slice(0, 1), to: e.slice(1) }));
    assert.deepEqual(knots(edges), []);
  });
});

describe('the caller', () => {
  /** The findings about one file of src/host, without what they all begin and end with. */
  const uses = (text: string): string[] =>
    lint({ 'src/host/a.ts': text }).map((finding) => {
      const [, use] = /^src\/host\/a\.ts:1 (.*): (?:take a Caller|name the folder)$/.exec(finding) ?? [];
      return use ?? finding;
    });

  for (const member of [
    'argv',
    'env',
    'cwd',
    'stdout',
    'stderr',
    'stdin',
    'exitCode',
    'on',
    'exit',
    'chdir',
  ]) {
    it(`is not asked by process.${member}`, () => {
      assert.deepEqual(uses(`export const x = process.${member};`), [`uses process.${member}`]);
    });
  }

  it('is not asked in roundabout ways', () => {
    assert.deepEqual(uses('export const x = globalThis.process.env;'), ['uses process.env']);
    assert.deepEqual(uses('export const x = process?.env;'), ['uses process.env']);
    assert.deepEqual(uses("export const x = process['env'];"), ['passes process on as a whole']);
    assert.deepEqual(uses('export const { env } = process;'), ['passes process on as a whole']);
    assert.deepEqual(uses('export const x = { process };'), ['passes process on as a whole']);
    assert.deepEqual(uses("import { env } from 'node:process'; env;"), [
      'src/host/a.ts imports node:process: take a Caller',
    ]);
    assert.deepEqual(uses("console.log('x');"), ['uses console']);
  });

  it('is not asked by the numbers of its descriptors', () => {
    assert.deepEqual(uses("import { writeSync } from 'node:fs'; writeSync(2, 'x');"), [
      'uses file descriptor 2',
    ]);
    assert.deepEqual(uses("import * as fs from 'node:fs'; fs.readFileSync(0);"), ['uses file descriptor 0']);
    assert.deepEqual(uses("import { isatty } from 'node:tty'; isatty(1);"), ['uses file descriptor 1']);
    assert.deepEqual(uses("export const o = { stdio: 'inherit' };"), ['hands on file descriptors 0 to 2']);
    assert.deepEqual(uses("export const o = { stdio: ['pipe', 1] };"), ['hands on file descriptors 0 to 2']);
    assert.deepEqual(uses("export const o = (fd: number) => ({ stdio: ['pipe', fd, 5] });"), []);
  });

  it('is not meant by members of this process alone, or by other things of that name', () => {
    assert.deepEqual(uses('export const x = [process.pid, process.arch, process.kill(1, 0)];'), []);
    assert.deepEqual(uses('export const x = (process: { env: string[] }) => process.env;'), []);
    assert.deepEqual(
      uses('export const f = ({ process }: any) => { return { process, e: process.env }; };'),
      [],
    );
    assert.deepEqual(uses('export const x = (spec: any) => spec.process.env;'), []);
    assert.deepEqual(uses('export const x = { process: 1, console: 2 };'), []);
    assert.deepEqual(uses('export type E = typeof process.env;'), []);
    assert.deepEqual(uses('// process.env\nexport const x = "process.env";'), []);
  });

  const resolves = 'resolves a path against the working directory';
  it('does not lend its working directory to resolve()', () => {
    assert.deepEqual(uses("import { resolve } from 'node:path'; resolve('a');"), [resolves]);
    assert.deepEqual(uses("import { resolve as r } from 'path'; r();"), [resolves]);
    assert.deepEqual(uses("import path from 'node:path'; path.posix.resolve('a');"), [resolves]);
    assert.deepEqual(uses("import * as p from 'node:path'; const a = ['b']; p.resolve(...a);"), [resolves]);
  });

  it('is not meant by resolve() with a folder, or by another resolve()', () => {
    assert.deepEqual(uses("import { resolve } from 'node:path'; resolve('/a'); resolve('/a', 'b');"), []);
    assert.deepEqual(uses("export const p = new Promise<string>((resolve) => resolve('a'));"), []);
    assert.deepEqual(
      uses("import { resolve } from 'node:path'; resolve; new Promise<string>((resolve) => resolve('a'));"),
      [],
    );
  });

  it('is known in cli/ and service/, and outside src/', () => {
    const text = "import { resolve } from 'node:path'; console.log(resolve('.'), process.argv);";
    assert.deepEqual(lint({ 'src/cli/a.ts': text, 'src/service/a.ts': text, 'scripts/a.ts': text }), []);
  });
});

describe('the order of includes', () => {
  it('reads what is in quotes, outside comments', () => {
    const text = [
      '#include "a.h" // "b.h"',
      '  #  include <stdio.h>',
      '/* #include "c.h"',
      '#include "d.h" */ /* " */',
      '// #include "e.h" \\',
      '#include "f.h"',
      'const char *s = "/*";',
      "char c = '\"';",
      '#include "g.h"',
      '#include HEADER',
    ].join('\n');
    assert.deepEqual(includedBy(text), ['a.h', 'g.h', undefined]);
  });

  it('is that of the table', () => {
    assert.deepEqual(
      lint({
        'native/common/a.h': '#include "../agent/b.h"',
        'native/agent/b.h': '#include "c.h"',
        'native/agent/c.h': '#include <stdio.h>',
        'native/monitor/main.c': '#include "domain/d.h"\n#include "a.h"',
        'native/monitor/domain/d.h': '#include "process/p.h"',
        'native/monitor/process/p.h': '',
        'native/test/t.c': '#include "../monitor/domain/d.h"\n#include "gone.h"',
        'native/new/n.c': '#include "a.h"',
      }),
      [
        'native/test/t.c includes gone.h, which is not found',
        'native/new is not in the order: add it to scripts/lint-order/order.ts',
        'native/common/a.h includes native/agent/b.h: native/common may include no other folder',
        'native/monitor/domain/d.h includes native/monitor/process/p.h: native/monitor/domain may include ' +
          'native/common, native/monitor/host, native/monitor/xen, native/monitor/link only',
      ],
    );
  });

  it('has no circle', () => {
    assert.deepEqual(lint({ 'native/agent/a.h': '#include "b.h"', 'native/agent/b.h': '#include "a.h"' }), [
      'circle of includes: native/agent/a.h -> native/agent/b.h -> native/agent/a.h',
    ]);
  });
});

describe('the order of calls', () => {
  const MAKEFILE = `
src = $(wildcard agent/*.c common/*.c)
$(BUILD)/vxn-agent: $(patsubst %.c,$(BUILD)/%.o,$(src))
	$(CC) $(CFLAGS) -o $@ $^
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -DXEN=$(XEN) -c -o $@ $<
`;
  const tree = (files: Tree): Tree => ({ 'native/Makefile': MAKEFILE, ...files });

  it('is that of the table', () => {
    assert.deepEqual(
      lint(
        tree({
          'native/agent/main.c':
            'void help(void); void put(void); int main(void) { help(); put(); return 0; }',
          'native/agent/help.c': 'void help(void) {}',
          'native/common/put.c': 'void help(void); void put(void) { help(); }',
        }),
      ),
      ['native/common/put.c uses native/agent/help.c (help): native/common may use no other folder'],
    );
  });

  it('has no circle, of data neither, nor one that only the build with Xen has', () => {
    assert.deepEqual(
      lint(
        tree({
          'native/agent/main.c': 'void a(void); int state; int main(void) { a(); return 0; }',
          'native/agent/a.c': 'extern int state; void a(void) { if (XEN) state = 1; }',
        }),
      ),
      ['circle of calls: native/agent/a.c -> native/agent/main.c (state) -> native/agent/a.c (a)'],
    );
  });

  it('is of calls between files: a static function of the same name is not called from outside', () => {
    assert.deepEqual(
      lint(
        tree({
          'native/agent/main.c':
            'static void a(void) {} void b(void); int main(void) { a(); b(); return 0; }',
          'native/agent/b.c': 'static void a(void) {} void b(void) { a(); }',
        }),
      ),
      [],
    );
  });

  it('is not judged where the compiler fails', () => {
    assert.throws(() => lint(tree({ 'native/agent/main.c': '#error broken\n' })), /does not build.*broken/s);
  });

  it('reads what nm prints', () => {
    const { defined, undefined: wanted } = parseSymbols(
      'main T 0 1d7\nhelper t 0 5c\nputs U         \nhook w         \nstate B 0 4\n',
    );
    assert.deepEqual(
      [[...defined], [...wanted]],
      [
        ['main', 'state'],
        ['puts', 'hook'],
      ],
    );
  });
});

describe('exceptions', () => {
  const reason = 'because';

  it('let a finding stand wherever its line is', () => {
    assert.deepEqual(applyExceptions(['a.ts:7 uses x', 'b'], [{ finding: 'a.ts uses x', reason }]), ['b']);
  });

  it('are findings themselves once they are for nothing', () => {
    assert.deepEqual(applyExceptions([], [{ finding: 'a.ts uses x', reason }]), [
      'an exception is for nothing: a.ts uses x',
    ]);
  });
});

describe('lint-order.ts', () => {
  const run = (tree: Tree): { status: number | null; stdout: string } =>
    inTree(tree, (root) =>
      spawnSync(process.execPath, ['--import', 'tsx', SCRIPT, root], { encoding: 'utf8' }),
    );

  it('prints the findings, one a line, and exits 1', () => {
    const { status, stdout } = run({
      'src/host/a.ts': "import '../xen/x.ts';",
      'src/xen/x.ts': 'export {};',
    });
    assert.deepEqual([status, stdout], [1, `src/host/a.ts imports src/xen/x.ts: ${HOST_MAY}\n`]);
  });

  it('prints nothing and exits 0 when all is well', () => {
    const { status, stdout } = run({ 'src/host/a.ts': 'export {};' });
    assert.deepEqual([status, stdout], [0, '']);
  });
});
