// SPDX-License-Identifier: MIT
import { OCI_VERSION } from '../spec/spec.ts';

declare const VXN_VERSION: string;
declare const VXN_COMMIT: string;

// The bundler sets both. The help has to work in the source tree, where they are missing.
const isBundled = typeof VXN_VERSION === 'string';

/** The version of vxn. */
export const VERSION = isBundled ? VXN_VERSION : 'unknown';
const COMMIT = isBundled ? VXN_COMMIT : 'unknown';

/** The text of --version. go-runc and docker read exactly these three lines. */
export const versionText = (): string =>
  `vxn-oci-runtime version ${VERSION}\ncommit: ${COMMIT}\nspec: ${OCI_VERSION}\n`;
