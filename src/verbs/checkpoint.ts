// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';

/**
 * `checkpoint` and `restore`: always throws UNSUPPORTED. Their options are accepted, so that the
 * answer is this error and not one about an option.
 */
export function refuse(verb: 'checkpoint' | 'restore'): never {
  throw new VxnError('UNSUPPORTED', `${verb} is not supported: there is no CRIU for a Xen domain`, {
    hint: 'pause and resume are supported',
  });
}
