import {lex, parseError, type Token, unquote} from './lex.ts';

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
	| {kind: 'number'; at: number; value: number; source: string; float: boolean}
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
	switch (node.kind) {
		case 'pipe': {
			const declared =
				node.variables.length > 0 ? `${node.variables.join(', ')} ${node.assign ? '=' : ':='} ` : '';
			return declared + node.commands.map(sourceOf).join(' | ');
		}
		case 'command':
			return node.args.map((arg) => (arg.kind === 'pipe' ? `(${sourceOf(arg)})` : sourceOf(arg))).join(' ');
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
		case 'chain': {
			const inner = node.operand.kind === 'pipe' ? `(${sourceOf(node.operand)})` : sourceOf(node.operand);
			return inner + node.names.map((name) => `.${name}`).join('');
		}
	}
}

/** Parses; throws TemplateError with Go's words. `functions` are the names that exist. */
export function parse(name: string, text: string, functions: ReadonlySet<string>): Template {
	const tokens = lex(name, text);
	const defined = new Map<string, Node[]>();
	let next = 0;
	let variables = ['$'];
	let loops = 0;

	const fail = (message: string, at = (tokens[next] ?? tokens.at(-1)!).at): never => {
		throw parseError(name, text, at, message);
	};
	const peek = (): Token => {
		while (tokens[next]!.type === 'space') next++;
		return tokens[next]!;
	};
	const take = (): Token => {
		const token = peek();
		if (token.type !== 'eof') next++;
		return token;
	};
	const show = (token: Token): string => {
		if (token.type === 'eof') return 'EOF';
		if (token.type === 'keyword') return `<${token.value}>`;
		return token.value.length > 10
			? `${JSON.stringify(token.value.slice(0, 10))}...`
			: JSON.stringify(token.value);
	};
	const unexpected = (token: Token, context: string): never =>
		fail(`unexpected ${show(token)} in ${context}`, token.at);

	const root = list('root').nodes;
	return {name, text, root, defined};

	function list(context: string): {nodes: Node[]; end: 'end' | 'else' | 'eof'} {
		const nodes: Node[] = [];
		for (;;) {
			const token = tokens[next]!;
			if (token.type === 'eof') {
				if (context !== 'root') fail('unexpected EOF');
				return {nodes, end: 'eof'};
			}
			if (token.type === 'text') {
				next++;
				nodes.push({kind: 'text', text: token.value});
				continue;
			}
			next++;
			const first = peek();
			if (first.type === 'keyword' && (first.value === 'end' || first.value === 'else')) {
				if (context === 'root') fail(`unexpected {{${first.value}}}`);
				next++;
				if (first.value === 'end') {
					expectClose('end');
					return {nodes, end: 'end'};
				}
				return {nodes, end: 'else'};
			}
			const node = action();
			if (node) nodes.push(node);
		}
	}

	function expectClose(context: string): void {
		const token = take();
		if (token.type !== 'close') unexpected(token, context);
	}

	function action(): Node | undefined {
		const token = peek();
		if (token.type === 'keyword') {
			next++;
			switch (token.value) {
				case 'if':
				case 'with':
				case 'range':
					return control(token.value);
				case 'break':
				case 'continue':
					if (loops === 0) fail(`{{${token.value}}} outside {{range}}`);
					expectClose(`{{${token.value}}}`);
					return {kind: token.value};
				case 'define':
					define(false);
					return undefined;
				case 'block': {
					const {name: block, pipe} = define(true)!;
					return {kind: 'template', name: block, pipe, at: token.at, source: JSON.stringify(block)};
				}
				case 'template': {
					const label = take();
					if (label.type !== 'string') unexpected(label, 'template clause');
					const target = unquote(label.value) ?? fail('invalid syntax');
					let pipe: Pipe | undefined;
					if (peek().type !== 'close') pipe = pipeline('template clause', 'close');
					else next++;
					return {kind: 'template', name: target, pipe, at: token.at, source: label.value};
				}
				default:
					unexpected(token, 'command');
			}
		}
		return {kind: 'action', pipe: pipeline('command', 'close')};
	}

	function define(block: boolean): {name: string; pipe: Pipe | undefined} | undefined {
		const context = block ? 'block clause' : 'define clause';
		const label = take();
		if (label.type !== 'string') unexpected(label, context);
		const target = unquote(label.value) ?? fail('invalid syntax');
		const pipe = block ? pipeline(context, 'close') : undefined;
		if (!block) expectClose(context);
		const outer = variables;
		variables = ['$'];
		const body = list(context);
		if (body.end !== 'end') fail('unexpected {{else}}');
		variables = outer;
		if (!defined.has(target) || body.nodes.length > 0) defined.set(target, body.nodes);
		return {name: target, pipe};
	}

	function control(kind: 'if' | 'with' | 'range'): Node {
		const depth = variables.length;
		const pipe = pipeline(kind, 'close');
		if (kind === 'range') loops++;
		const body = list(kind);
		if (kind === 'range') loops--;
		let elseList: Node[] | undefined;
		if (body.end === 'else') {
			const token = peek();
			if (token.type === 'keyword' && token.value === kind && kind !== 'range') {
				// `else if` shares the end.
				next++;
				elseList = [control(kind)];
				variables.length = depth;
				return {kind, pipe, list: body.nodes, elseList};
			}
			expectClose('else');
			const rest = list(kind);
			if (rest.end !== 'end') fail('expected end; found {{else}}');
			elseList = rest.nodes;
		}
		variables.length = depth;
		return {kind, pipe, list: body.nodes, elseList};
	}

	function pipeline(context: string, end: 'close' | ')'): Pipe {
		const first = peek();
		const pipe: Pipe = {kind: 'pipe', at: first.at, variables: [], assign: false, commands: []};
		declarations(context, pipe);
		for (;;) {
			const token = peek();
			if (token.type === end) {
				next++;
				if (pipe.commands.length === 0) fail(`missing value for ${context}`, token.at);
				// Only the first command may be a constant.
				for (const [index, command] of pipe.commands.slice(1).entries()) {
					const kind = command.args[0]!.kind;
					if (['bool', 'dot', 'nil', 'number', 'string'].includes(kind)) {
						fail(`non executable command in pipeline stage ${index + 2}`, token.at);
					}
				}
				return pipe;
			}
			if (token.type === 'eof') fail('unclosed action');
			if (!startsOperand(token)) unexpected(token, context);
			pipe.commands.push(commandOf(context));
		}
	}

	function declarations(context: string, pipe: Pipe): void {
		for (;;) {
			if (peek().type !== 'variable') return;
			const from = next;
			const variable = take();
			const after = peek();
			if (after.type === 'declare' || after.type === 'assign') {
				next++;
				pipe.assign = after.type === 'assign';
				if (pipe.assign && !variables.includes(variable.value)) {
					fail(`undefined variable ${JSON.stringify(variable.value)}`, variable.at);
				}
				pipe.variables.push(variable.value);
				if (!pipe.assign) variables.push(variable.value);
				return;
			}
			if (after.type === 'comma' && context === 'range' && pipe.variables.length < 1) {
				next++;
				pipe.variables.push(variable.value);
				variables.push(variable.value);
				continue;
			}
			if (after.type === 'comma') fail(`too many declarations in ${context}`, after.at);
			next = from;
			return;
		}
	}

	function startsOperand({type}: Token): boolean {
		return [
			'bool',
			'char',
			'dot',
			'field',
			'identifier',
			'number',
			'nil',
			'string',
			'variable',
			'(',
		].includes(type);
	}

	function commandOf(context: string): Command {
		const command: Command = {kind: 'command', at: peek().at, args: []};
		for (;;) {
			const token = peek();
			if (startsOperand(token)) {
				command.args.push(operand());
				const after = tokens[next]!;
				if (after.type === 'space') continue;
				if (after.type === 'pipe') {
					next++;
					if (!startsOperand(peek())) {
						if (peek().type === 'close') fail(`missing value for ${context}`);
						unexpected(peek(), context);
					}
					break;
				}
				if (after.type === 'close' || after.type === ')' || after.type === 'eof') break;
				unexpected(after, 'operand');
			} else if (token.type === 'pipe') {
				next++;
				if (!startsOperand(peek())) {
					// Go takes a pipe with nothing behind it.
					if (peek().type !== 'close' && peek().type !== ')') unexpected(peek(), context);
				}
				break;
			} else if (token.type === 'close' || token.type === ')') break;
			else if (token.type === 'eof') fail('unclosed action');
			else unexpected(token, 'operand');
		}
		if (command.args.length === 0) fail('empty command');
		return command;
	}

	function operand(): Operand {
		let node = term();
		if (tokens[next]!.type === 'field') {
			const at = tokens[next]!.at;
			const names: string[] = [];
			while (tokens[next]!.type === 'field') names.push(tokens[next++]!.value.slice(1));
			if (node.kind === 'field') node = {kind: 'field', at, names: [...node.names, ...names]};
			else if (node.kind === 'variable') node = {...node, at, names: [...node.names, ...names]};
			else if (['bool', 'string', 'number', 'nil', 'dot'].includes(node.kind)) {
				fail(`unexpected . after term ${JSON.stringify(sourceOf(node))}`, at);
			} else node = {kind: 'chain', at, operand: node, names};
		}
		return node;
	}

	function term(): Operand {
		const token = take();
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
			case 'number': {
				const digits = value.replaceAll('_', '').replace(/^([+-]?)0(\d+)$/, '$10o$2');
				const negative = digits.startsWith('-');
				const number = Number(digits.replace(/^[+-]/, ''));
				if (Number.isNaN(number)) fail(`illegal number syntax: ${JSON.stringify(value)}`, at);
				return {
					kind: 'number',
					at,
					value: negative ? -number : number,
					source: value,
					float: /[.eE]/.test(value) && !/^[+-]?0[xX]/.test(value),
				};
			}
			case 'char': {
				const char = unquote(value) ?? fail(`malformed character constant: ${value}`, at);
				return {kind: 'number', at, value: char.codePointAt(0) ?? 0, source: value, float: false};
			}
			case 'string':
				return {kind: 'string', at, value: unquote(value) ?? fail('invalid syntax', at), source: value};
			case '(':
				return pipeline('parenthesized pipeline', ')');
			default:
				return unexpected(token, 'operand');
		}
	}
}
