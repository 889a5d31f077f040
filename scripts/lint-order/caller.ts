// SPDX-License-Identifier: MIT
// Only cli/ and service/ know the caller. Code below them must not look at the arguments,
// environment, working directory or standard streams of this process. A runtime with several
// callers would mix them up.
import {
  type Identifier,
  isArrayLiteralExpression,
  isCallExpression,
  isIdentifier,
  isNumericLiteral,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isStringLiteral,
  type Node,
} from 'typescript/unstable/ast';
import { modulesOf } from './imports.ts';
import { isReference } from './names.ts';
import { lineOf, nodesOf, type Program } from './program.ts';

/** The members of `process` that belong to the caller, or that act on him. */
const CALLERS = new Set([
  'addListener',
  'argv',
  'argv0',
  'chdir',
  'cwd',
  'env',
  'exit',
  'exitCode',
  'on',
  'once',
  'stderr',
  'stdin',
  'stdout',
]);

const PROCESS_MODULES = new Set(['node:process', 'process']);
const GLOBAL_OBJECTS = new Set(['globalThis', 'global']);

// Functions of node:fs and node:tty whose first argument may be a file descriptor.
const TAKES_DESCRIPTOR =
  /^(isatty|(f?(read|write|readv|writev|stat|close|sync)|(read|write|append)File)(Sync)?|(Read|Write)Stream)$/;

function isGlobal(node: Identifier, program: Program): boolean {
  return isReference(node) && program.declarationOf(node) === undefined;
}

/** True when a node is the global `process`, by its own name or as globalThis.process. */
function isProcess(node: Node, program: Program): boolean {
  if (isIdentifier(node)) return node.text === 'process' && isGlobal(node, program);
  return (
    isPropertyAccessExpression(node) &&
    node.name.text === 'process' &&
    isIdentifier(node.expression) &&
    GLOBAL_OBJECTS.has(node.expression.text)
  );
}

function useOfProcess(node: Node, program: Program): string | undefined {
  if (!isProcess(node, program)) return undefined;
  const { parent } = node;
  // Without a visible member it could be anything.
  if (!isPropertyAccessExpression(parent) || parent.expression !== node)
    return 'passes process on as a whole';
  return CALLERS.has(parent.name.text) ? `uses process.${parent.name.text}` : undefined;
}

function useOfConsole(node: Node, program: Program): string | undefined {
  const isConsole = isIdentifier(node) && node.text === 'console' && isGlobal(node, program);
  return isConsole ? 'uses console' : undefined;
}

function isStandardDescriptor(node: Node | undefined): boolean {
  return node !== undefined && isNumericLiteral(node) && /^[012]$/.test(node.text);
}

function handsOn(node: Node): boolean {
  if (isArrayLiteralExpression(node)) return node.elements.some(handsOn);
  return isStandardDescriptor(node) || (isStringLiteral(node) && node.text === 'inherit');
}

function useOfDescriptors(node: Node): string | undefined {
  if (isCallExpression(node) && isStandardDescriptor(node.arguments[0])) {
    const { expression } = node;
    const name = isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
    if (TAKES_DESCRIPTOR.test(name)) return `uses file descriptor ${node.arguments[0]?.getText()}`;
  }
  if (isPropertyAssignment(node) && node.name.getText() === 'stdio' && handsOn(node.initializer)) {
    return 'hands on file descriptors 0 to 2';
  }
  return undefined;
}

/** A line for each place where a file looks at the process's own caller. */
export function looksAtCaller(program: Program, file: string): string[] {
  const module = modulesOf(program, file).find((name) => name !== undefined && PROCESS_MODULES.has(name));
  const imported = module === undefined ? [] : [`${file} imports ${module}: take a Caller`];
  const uses = [...nodesOf(program.parse(file))].flatMap((node) => {
    const use = useOfProcess(node, program) ?? useOfConsole(node, program) ?? useOfDescriptors(node);
    return use === undefined ? [] : [`${file}:${lineOf(node)} ${use}: take a Caller`];
  });
  return [...imported, ...uses];
}
