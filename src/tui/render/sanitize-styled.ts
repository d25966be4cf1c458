/**
 * Ink's `sanitizeAnsi` for the production bundle (bundle-plugins.mjs): what a text may bring along, which is colours
 * and the like (SGR), tabs and line ends. Ink's own takes each styled text apart twice a frame. What others wrote
 * has been through sanitize.ts before; this is the second lock on that door.
 */

const SGR = /\u001b\[[0-9:;]*m/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
/** SGR in the first group, other sequences, and controls without one. */
const UNWANTED =
	/(\u001b\[[0-9:;]*m)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u009c|\u001b\\)?|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

export default function sanitizeStyled(text: string): string {
	if (!CONTROL.test(text) || !CONTROL.test(text.replaceAll(SGR, ''))) return text;
	return text.replaceAll(UNWANTED, (_, style: string | undefined) => style ?? '');
}
