// SPDX-License-Identifier: MIT
// path.resolve() with fewer than two arguments starts from the working directory, which is the
// caller's. Code that does not know the caller must get the folder as an argument.
import {
  type CallExpression,
  type Identifier,
  isCallExpression,
  isIdentifier,
  isImportDeclaration,
  isImportSpecifier,
  isPropertyAccessExpression,
  isSpreadElement,
  isStringLiteral,
  type Node,
} from 'typescript/unstable/ast';
import { lineOf, nodesOf, type Program } from './program.ts';

const PATH_MODULES = new Set(['node:path', 'path', 'node:path/posix', 'path/posix']);

/** The module of an import's declaration. undefined for any other declaration. */
function moduleOf(declaration: Node | undefined): string | undefined {
  for (let node = declaration; node !== undefined; node = node.parent) {
    if (isImportDeclaration(node)) {
      return isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
    }
  }
  return undefined;
}

/**
 * The name of an identifier in node:path, from where it was imported. undefined for any other
 * identifier.
 */
function importedFromPath(name: Identifier, program: Program): string | undefined {
  const declaration = program.declarationOf(name);
  if (!PATH_MODULES.has(moduleOf(declaration) ?? '') || declaration === undefined) return undefined;
  return isImportSpecifier(declaration) ? (declaration.propertyName ?? declaration.name).text : 'path';
}

/** True when the called expression is node:path's resolve, by its name or as path.resolve. */
function isPathResolve(called: Node, program: Program): boolean {
  if (isIdentifier(called)) return importedFromPath(called, program) === 'resolve';
  if (!isPropertyAccessExpression(called) || called.name.text !== 'resolve') return false;
  let object: Node = called.expression;
  while (isPropertyAccessExpression(object)) object = object.expression;
  return isIdentifier(object) && importedFromPath(object, program) !== undefined;
}

function isAbsolute(argument: Node): boolean {
  return isStringLiteral(argument) && argument.text.startsWith('/');
}

function needsWorkingDirectory({ arguments: given }: CallExpression): boolean {
  return (given.length < 2 || given.some(isSpreadElement)) && !given.some(isAbsolute);
}

/** A line for each place where a file resolves a path against the working directory. */
export function usesWorkingDirectory(program: Program, file: string): string[] {
  return [...nodesOf(program.parse(file))]
    .filter(isCallExpression)
    .filter((call) => needsWorkingDirectory(call) && isPathResolve(call.expression, program))
    .map((call) => `${file}:${lineOf(call)} resolves a path against the working directory: name the folder`);
}
