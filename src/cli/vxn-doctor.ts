// SPDX-License-Identifier: MIT
// The doctor as a file of its own, so that the runtime need not carry it.
export { count, examineAll, renderJson, renderText } from '../doctor/doctor.ts';
