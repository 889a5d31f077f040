// SPDX-License-Identifier: MIT
// The imports in TypeScript. A type-only import and an import() count as much as any other: they
// tie files together, although they cost nothing at start-up.
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import {
  isCallExpression,
  isExportDeclaration,
  isExternalModuleReference,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isStringLiteralLikeNode,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import type { Edge } from './edges.ts';
import { nodesOf, type Program } from './program.ts';

/** The imports among the files of a tree. */
export interface Imports {
  edges: Edge[];
  /** A line for each import that cannot be followed. */
  findings: string[];
}

function isRequire(node: Node): boolean {
  return node.kind === SyntaxKind.Identifier && node.getText() === 'require';
}

/** The expression that names the import of a node. undefined for a node that imports nothing. */
function importedBy(node: Node): Node | undefined {
  if (isImportDeclaration(node) || isExportDeclaration(node)) return node.moduleSpecifier;
  if (isExternalModuleReference(node)) return node.expression;
  if (isImportTypeNode(node)) return isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument;
  if (!isCallExpression(node)) return undefined;
  const imports = node.expression.kind === SyntaxKind.ImportKeyword || isRequire(node.expression);
  return imports ? node.arguments[0] : undefined;
}

/**
 * The module names in a file's imports, `export from`, import(), require() and import types. A name
 * is undefined where the file computes it.
 */
export function modulesOf(program: Program, file: string): (string | undefined)[] {
  return [...nodesOf(program.parse(file))].flatMap((node) => {
    const name = importedBy(node);
    if (name === undefined) return [];
    return [isStringLiteralLikeNode(name) ? name.text : undefined];
  });
}

/** The files that a module name may stand for, as the compiler tries them. */
function candidates(path: string): string[] {
  return [path, `${path}.ts`, `${path}/index.ts`, path.replace(/js$/, 'ts')];
}

function importsOf(root: string, program: Program, file: string): Imports {
  const imports: Imports = { edges: [], findings: [] };
  for (const name of new Set(modulesOf(program, file))) {
    if (name === undefined) {
      imports.findings.push(`${file} imports a module whose name it computes: name it in a literal`);
    } else if (name.startsWith('.') || name.startsWith('/')) {
      const path = posix.join(posix.dirname(file), name);
      const to = candidates(path).find((candidate) => existsSync(join(root, candidate)));
      if (to === undefined) imports.findings.push(`${file} imports ${path}, which does not exist`);
      else imports.edges.push({ from: file, to });
    }
  }
  return imports;
}

/** The imports of all files, which are paths below root. Packages are left out. */
export function findImports(root: string, program: Program, files: readonly string[]): Imports {
  const all = files.map((file) => importsOf(root, program, file));
  return { edges: all.flatMap((i) => i.edges), findings: all.flatMap((i) => i.findings) };
}
