// SPDX-License-Identifier: MIT
import { type Identifier, type Node, SyntaxKind } from 'typescript/unstable/ast';

/** The members of nodes with identifiers that only name something. */
interface Named {
  name?: Node;
  propertyName?: Node;
}

/**
 * True when an identifier stands for a value. It is then no name of a member or a declaration, and
 * no part of a type.
 */
export function isReference(node: Identifier): boolean {
  const { parent } = node;
  const { name, propertyName } = parent as Named;
  switch (parent.kind) {
    case SyntaxKind.ShorthandPropertyAssignment:
      return true;
    case SyntaxKind.TypeQuery:
    case SyntaxKind.TypeReference:
    case SyntaxKind.QualifiedName:
      return false;
    default:
      return name !== node && propertyName !== node;
  }
}
