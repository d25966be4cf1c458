/** The syntax of Go's text/template. */
import {lex, parseError, type Token, type TokenType, unquote} from './lex.ts';

export type Node =
	| {kind: 'text'; text: string}
	| {kind: 'action'; pipe: Pipe}
	| {kind: 'if' | 'with' | 'range'; pipe: Pipe; list: Node[]; elseList: Node[] | undefined}
	| {kind: 'template'; name: string; pipe: Pipe | undefined; at: number; source: string}
	| {kind: 'break' | 'continue'};

export interface Pipe {
	kind: 'pipe';
	at: number;
	variables: string[];
	assign: boolean;
	commands: Command[];
}

export interface Command {
	kind: 'command';
	at: number;
	args: Operand[];
}

export type Operand =
	| Pipe
	| {kind: 'dot' | 'nil'; at: number}
	| {kind: 'bool'; at: number; value: boolean}
	| {kind: 'number'; at: number; value: number | bigint; source: string; float: boolean}
	| {kind: 'string'; at: number; value: string; source: string}
	| {kind: 'identifier'; at: number; name: string}
	| {kind: 'field'; at: number; names: string[]}
	| {kind: 'variable'; at: number; name: string; names: string[]}
	| {kind: 'chain'; at: number; operand: Operand; names: string[]};

/** A parsed template and those it defines. */
export interface Template {
	name: string;
	text: string;
	root: Node[];
	defined: Map<string, Node[]>;
}

/** The source of a node again, as Go's errors quote it. */
export function sourceOf(node: Pipe | Command | Operand): string {
	const inner = (arg: Operand): string => (arg.kind === 'pipe' ? `(${sourceOf(arg)})` : sourceOf(arg));
	switch (node.kind) {
		case 'pipe': {
			const declared =
				node.variables.length > 0 ? `${node.variables.join(', ')} ${node.assign ? '=' : ':='} ` : '';
			return declared + node.commands.map(sourceOf).join(' | ');
		}
		case 'command':
			return node.args.map(inner).join(' ');
		case 'dot':
			return '.';
		case 'nil':
			return 'nil';
		case 'bool':
			return String(node.value);
		case 'number':
		case 'string':
			return node.source;
		case 'identifier':
			return node.name;
		case 'field':
			return node.names.map((name) => `.${name}`).join('');
		case 'variable':
			return [node.name, ...node.names].join('.');
		case 'chain':
			return inner(node.operand) + node.names.map((name) => `.${name}`).join('');
	}
}

type ListEnd = 'end' | 'else';

const operandStarts: ReadonlySet<TokenType> = new Set<TokenType>([
	...(['bool', 'char', 'dot', 'field', 'identifier', 'number', 'nil', 'string', 'variable', '('] as const),
]);

/** Parses; throws TemplateError with Go's words. `functions` are the names that exist. */
export function parse(name: string, text: string, functions: ReadonlySet<string>): Template {
	const tokens = lex(text);
	const defined = new Map<string, Node[]>();
	let next = 0;
	let variables = ['$'];
	let loops = 0;
	/** Where the action began that is being read. */
	let actionAt: number | undefined;

	const fail = (message: string, at = tokens[Math.max(0, Math.min(next, tokens.length) - 1)]!.at): never => {
		throw parseError(name, text, at, message);
	};
	const last = tokens.at(-1)!;
	/** The token that is next, spaces included. */
	const peekRaw = (): Token => tokens[next] ?? last;
	const peek = (): Token => {
		while (peekRaw().type === 'space') next++;
		return peekRaw();
	};
	const take = (): Token => {
		const token = peek();
		next++;
		return token;
	};
	const show = (token: Token): string => {
		if (token.type === 'eof') return 'EOF';
		if (['keyword', 'dot', 'nil'].includes(token.type)) return `<${token.value}>`;
		return token.value.length > 10
			? `${JSON.stringify(token.value.slice(0, 10))}...`
			: JSON.stringify(token.value);
	};
	function unexpected(token: Token, context: string): never {
		if (token.type !== 'error') return fail(`unexpected ${show(token)} in ${context}`, token.at);
		const line = (at: number): number => text.slice(0, at).split('\n').length;
		let extra = '';
		if (actionAt !== undefined && line(actionAt) !== line(token.at)) {
			extra = `${token.value.endsWith(' action') ? '' : ' in action'} started at ${name}:${line(actionAt)}`;
		}
		return fail(token.value + extra, token.at);
	}

	const root: Node[] = [];
	while (peekRaw().type !== 'eof') {
		if (isDefinition()) {
			define('define clause');
			continue;
		}
		const node = textOrAction();
		if (node === 'end' || node === 'else') fail(`unexpected {{${node}}}`);
		else if (node) root.push(node);
	}
	return {name, text, root, defined};

	function isDefinition(): boolean {
		if (tokens[next]?.type !== 'open') return false;
		let at = next + 1;
		while (tokens[at]?.type === 'space') at++;
		if (tokens[at]?.type !== 'keyword' || tokens[at]!.value !== 'define') return false;
		next = at + 1;
		return true;
	}

	function define(context: string): void {
		const label = take();
		if (label.type !== 'string') unexpected(label, context);
		const target = unquote(label.value) ?? fail('invalid syntax', label.at);
		const close = take();
		if (close.type !== 'close') unexpected(close, context);
		addTemplate(target, body(context));
	}

	/** The list of a template of its own, which has variables of its own. */
	function body(context: string): Node[] {
		const [outer, outerLoops] = [variables, loops];
		variables = ['$'];
		loops = 0;
		const {nodes, end} = list();
		if (end !== 'end') fail(`unexpected {{${end}}} in ${context}`);
		variables = outer;
		loops = outerLoops;
		return nodes;
	}

	/** An empty one doesn't replace one that says something. */
	function addTemplate(target: string, nodes: Node[]): void {
		const isEmpty = nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
		if (!defined.has(target) || !isEmpty) defined.set(target, nodes);
	}

	function list(): {nodes: Node[]; end: ListEnd} {
		const nodes: Node[] = [];
		while (peek().type !== 'eof') {
			const node = textOrAction();
			if (node === 'end' || node === 'else') return {nodes, end: node};
			if (node) nodes.push(node);
		}
		return fail('unexpected EOF', last.at);
	}

	function textOrAction(): Node | ListEnd | undefined {
		const token = take();
		if (token.type === 'text') return {kind: 'text', text: token.value};
		if (token.type !== 'open') return unexpected(token, 'input');
		actionAt = token.at;
		const node = action();
		actionAt = undefined;
		return node;
	}

	function action(): Node | ListEnd | undefined {
		const token = peek();
		if (token.type === 'keyword' && token.value !== 'define') {
			next++;
			switch (token.value) {
				case 'end':
					expectClose('end');
					return 'end';
				case 'else': {
					const after = peek();
					// `else if` and `else with` are read by who reads the list.
					if (after.type !== 'keyword' || !['if', 'with'].includes(after.value)) expectClose('else');
					return 'else';
				}
				case 'break':
				case 'continue':
					expectClose(`{{${token.value}}}`);
					if (loops === 0) fail(`{{${token.value}}} outside {{range}}`, token.at);
					return {kind: token.value};
				case 'if':
				case 'with':
				case 'range':
					return control(token.value);
				case 'template':
					return include();
				case 'block':
					return block();
			}
		}
		return {kind: 'action', pipe: pipeline('command', 'close')};
	}

	function expectClose(context: string): void {
		const token = take();
		if (token.type !== 'close') unexpected(token, context);
	}

	function templateName(token: Token, context: string): string {
		if (token.type !== 'string') unexpected(token, context);
		return unquote(token.value) ?? fail('invalid syntax', token.at);
	}

	function include(): Node {
		const context = 'template clause';
		const token = take();
		const target = templateName(token, context);
		let pipe: Pipe | undefined;
		if (peek().type === 'close') next++;
		else pipe = pipeline(context, 'close');
		return {kind: 'template', name: target, pipe, at: token.at, source: sourceOfInclude(target, pipe)};
	}

	function block(): Node {
		const context = 'block clause';
		const token = take();
		const target = templateName(token, context);
		const pipe = pipeline(context, 'close');
		addTemplate(target, body(context));
		return {kind: 'template', name: target, pipe, at: token.at, source: sourceOfInclude(target, pipe)};
	}

	function control(kind: 'if' | 'with' | 'range'): Node {
		const depth = variables.length;
		const pipe = pipeline(kind, 'close');
		if (kind === 'range') loops++;
		const main = list();
		if (kind === 'range') loops--;
		let elseList: Node[] | undefined;
		if (main.end === 'else') {
			const token = peekRaw();
			if (kind !== 'range' && token.type === 'keyword' && token.value === kind) {
				// It shares the end.
				next++;
				elseList = [control(kind)];
			} else {
				const rest = list();
				if (rest.end !== 'end') fail(`expected end; found {{${rest.end}}}`);
				elseList = rest.nodes;
			}
		}
		variables.length = depth;
		return {kind, pipe, list: main.nodes, elseList};
	}

	function pipeline(context: string, end: 'close' | ')'): Pipe {
		const first = peek();
		const pipe: Pipe = {kind: 'pipe', at: first.at, variables: [], assign: false, commands: []};
		declarations(context, pipe);
		for (;;) {
			const token = take();
			if (token.type === end) {
				checkPipeline(pipe, context);
				return pipe;
			}
			if (!operandStarts.has(token.type)) unexpected(token, context);
			next--;
			pipe.commands.push(commandOf());
		}
	}

	function checkPipeline(pipe: Pipe, context: string): void {
		if (pipe.commands.length === 0) fail(`missing value for ${context}`);
		// Only the first command may be a constant.
		for (const [index, command] of pipe.commands.slice(1).entries()) {
			if (['bool', 'dot', 'nil', 'number', 'string'].includes(command.args[0]!.kind))
				fail(`non executable command in pipeline stage ${index + 2}`);
		}
	}

	function declarations(context: string, pipe: Pipe): void {
		while (peek().type === 'variable') {
			const from = next;
			const variable = take();
			const after = peek();
			if (after.type === 'declare' || after.type === 'assign') {
				next++;
				pipe.assign = after.type === 'assign';
				pipe.variables.push(variable.value);
				variables.push(variable.value);
				return;
			}
			if (after.type !== 'other' || after.value !== ',') {
				next = from;
				return;
			}
			next++;
			pipe.variables.push(variable.value);
			variables.push(variable.value);
			if (context !== 'range' || pipe.variables.length >= 2) fail(`too many declarations in ${context}`);
			if (!['variable', 'close', ')'].includes(peek().type)) fail('range can only initialize variables');
		}
	}

	function commandOf(): Command {
		const command: Command = {kind: 'command', at: peek().at, args: []};
		for (;;) {
			const found = operand();
			if (found) command.args.push(found);
			const after = peekRaw();
			if (after.type === 'space') continue;
			if (after.type === 'pipe') next++;
			else if (after.type !== 'close' && after.type !== ')') {
				next++;
				unexpected(after, 'operand');
			}
			break;
		}
		if (command.args.length === 0) fail('empty command');
		return command;
	}

	function operand(): Operand | undefined {
		const node = term();
		if (!node || peekRaw().type !== 'field') return node;
		const {at} = peekRaw();
		const names: string[] = [];
		while (peekRaw().type === 'field') names.push(tokens[next++]!.value.slice(1));
		if (node.kind === 'field') return {kind: 'field', at, names: [...node.names, ...names]};
		if (node.kind === 'variable') return {...node, at, names: [...node.names, ...names]};
		if (['bool', 'string', 'number', 'nil', 'dot'].includes(node.kind))
			fail(`unexpected . after term ${JSON.stringify(sourceOf(node))}`);
		return {kind: 'chain', at, operand: node, names};
	}

	function term(): Operand | undefined {
		const token = peek();
		if (!operandStarts.has(token.type)) return undefined;
		next++;
		const {at, value} = token;
		switch (token.type) {
			case 'identifier':
				if (!functions.has(value)) fail(`function ${JSON.stringify(value)} not defined`, at);
				return {kind: 'identifier', at, name: value};
			case 'dot':
			case 'nil':
				return {kind: token.type, at};
			case 'variable':
				if (!variables.includes(value)) fail(`undefined variable ${JSON.stringify(value)}`, at);
				return {kind: 'variable', at, name: value, names: []};
			case 'field':
				return {kind: 'field', at, names: [value.slice(1)]};
			case 'bool':
				return {kind: 'bool', at, value: value === 'true'};
			case 'number':
				return numberOf(value, at);
			case 'char': {
				const char = unquote(value);
				if (char === undefined || [...char].length !== 1) fail(`malformed character constant: ${value}`, at);
				return {kind: 'number', at, value: char!.codePointAt(0)!, source: value, float: false};
			}
			case 'string':
				return {kind: 'string', at, value: unquote(value) ?? fail('invalid syntax', at), source: value};
			default:
				return pipeline('parenthesized pipeline', ')');
		}
	}

	function numberOf(source: string, at: number): Operand {
		const bare = source.replaceAll('_', '').replace(/^[+-]/, '');
		const negative = source.startsWith('-');
		const hex = /^0x/i.test(bare);
		const float = hex ? /[.p]/i.test(bare) : /[.e]/i.test(bare);
		const digits = /^0\d+$/.test(bare) ? `0o${bare.slice(1)}` : bare;
		const value = Number(digits);
		if (bare === '' || Number.isNaN(value)) fail(`illegal number syntax: ${JSON.stringify(source)}`, at);
		if (!float && value > Number.MAX_SAFE_INTEGER) {
			const big = BigInt(digits);
			if (big >= 2n ** 64n) fail(`integer overflow: ${JSON.stringify(source)}`, at);
			return {kind: 'number', at, value: negative ? -big : big, source, float};
		}
		return {kind: 'number', at, value: negative ? -value : value, source, float};
	}
}

const sourceOfInclude = (target: string, pipe: Pipe | undefined): string =>
	`{{template ${JSON.stringify(target)}${pipe ? ` ${sourceOf(pipe)}` : ''}}}`;
