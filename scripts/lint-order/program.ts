// SPDX-License-Identifier: MIT
// The sources as the TypeScript compiler reads them. Its interface is called unstable. So only this
// file starts it, and package-lock.json pins its version.
import { join } from 'node:path';
import type { Identifier, Node, SourceFile } from 'typescript/unstable/ast';
import { API, SymbolFlags } from 'typescript/unstable/sync';

/** The parsed sources of a tree. */
export interface Program {
  /** The tree of a file. Its path must be one of the paths that the program was made of. */
  parse(file: string): SourceFile;
  /** The node that declares a value's name. undefined when the sources do not declare the name. */
  declarationOf(identifier: Identifier): Node | undefined;
  close(): void;
}

/**
 * Parses files, which are paths below root. Only these count. Packages and the types of the
 * language and of node are not read, so a name that nothing declares is a global one.
 */
export function openProgram(root: string, files: readonly string[]): Program {
  const config = join(root, 'lint-order.tsconfig.json');
  const text = JSON.stringify({
    compilerOptions: {
      allowJs: true,
      module: 'ESNext',
      moduleResolution: 'Bundler',
      noEmit: true,
      noLib: true,
      noResolve: true,
      target: 'ES2022',
      types: [],
    },
    files,
  });
  const api = new API({
    cwd: root,
    // The configuration is in no file. undefined hands everything else to the real file system.
    fs: {
      readFile: (file) => (file === config ? text : undefined),
      fileExists: (file) => (file === config ? true : undefined),
    },
  });
  const snapshot = api.updateSnapshot({ openProjects: [config] });
  const project = snapshot.getProjects()[0];
  if (project === undefined) throw new Error(`the TypeScript compiler opens nothing in ${root}`);
  return {
    parse(file) {
      const source = project.program.getSourceFile(join(root, file));
      if (source === undefined) throw new Error(`the TypeScript compiler does not read ${file}`);
      return source;
    },
    declarationOf(identifier) {
      const meaning = SymbolFlags.Value | SymbolFlags.Alias;
      return project.checker.resolveName(identifier.text, meaning, identifier)?.declarations[0]?.resolve();
    },
    close() {
      snapshot.dispose();
      api.close();
    },
  };
}

/** All nodes of a tree, parents before their children. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  const children: Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

/** The line of a node. The first line is 1. */
export function lineOf(node: Node): number {
  const source = node.getSourceFile();
  const start = node.getStart(source);
  return source.getLineStarts().filter((at) => at <= start).length;
}
