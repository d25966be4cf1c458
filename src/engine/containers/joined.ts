const prefix = 'container:';

/** The container that a mode such as `container:web` names, as it is written there. */
export const joinedContainer = (mode: string | undefined): string | undefined =>
	mode?.startsWith(prefix) && mode.length > prefix.length ? mode.slice(prefix.length) : undefined;
