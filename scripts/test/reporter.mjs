// SPDX-License-Identifier: MIT
// node loads reporters before tsx is there.
import { tsImport } from 'tsx/esm/api';

const { reporter } = await tsImport('./reporter.ts', import.meta.url);
export default reporter;
