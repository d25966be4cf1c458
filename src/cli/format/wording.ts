/** How docker introduces a template's error: its lists and its inspect say it differently. */
export interface Wording {
	parse: string;
	execute: string;
}

export const inspectWording: Wording = {parse: 'template parsing error', execute: 'template parsing error'};
export const listWording: Wording = {
	parse: 'failed to parse template',
	execute: 'failed to execute template',
};

/** `info` and `version` say nothing before what goes wrong with a value. */
export const systemWording: Wording = {parse: 'template parsing error', execute: ''};
