import { asArray, asObject, asString, toJson } from './json-value.ts';
import type { JsonObject } from './json-value.ts';

/** Schemas nested deeper are written as `any`. */
const MAX_DEPTH = 12;

/** The tools that a request of any dialect defines itself; those of the provider's own have no schema in it. */
export function definedTools(request: JsonObject): JsonObject[] {
  const listed = [
    ...asArray(request['tools']),
    ...asArray(request['functions']),
    ...asArray(asObject(request['toolConfig'])?.['tools']),
  ];
  return listed
    .flatMap((tool) => {
      const entry = asObject(tool) ?? {};
      const declared = asArray(entry['functionDeclarations'] ?? entry['function_declarations']);
      return declared.length > 0 ? declared : [entry['function'] ?? entry['toolSpec'] ?? entry];
    })
    .map((tool) => asObject(tool) ?? {})
    .filter((tool) => asString(tool['name']) !== undefined && schemaOf(tool) !== undefined);
}

/**
 * Tool definitions as OpenAI's models read them: TypeScript types with the descriptions as comments. The JSON of
 * the schemas is not billed as such (recorded prompt_tokens of gpt-4o agree within a few tokens, 2026-11-20).
 */
export function toolsText(tools: readonly JsonObject[]): string {
  if (tools.length === 0) return '';
  const types = tools.map(functionText).join('\n');
  return `# Tools\n\n## functions\n\nnamespace functions {\n\n${types}\n} // namespace functions`;
}

function functionText(tool: JsonObject): string {
  const comment = asString(tool['description']);
  const head = comment === undefined ? '' : `// ${comment}\n`;
  const type = typeText(schemaOf(tool), 0);
  const argument = type === '{}' ? '' : `_: ${type}`;
  return `${head}type ${asString(tool['name']) ?? ''} = (${argument}) => any;\n`;
}

/** Its place in chat, Gemini, Anthropic, Converse, MCP and Cohere, in this order. */
function schemaOf(tool: JsonObject): unknown {
  return (
    tool['parameters'] ??
    tool['parametersJsonSchema'] ??
    tool['input_schema'] ??
    asObject(tool['inputSchema'])?.['json'] ??
    tool['inputSchema'] ??
    tool['parameter_definitions']
  );
}

function typeText(value: unknown, depth: number): string {
  const schema = asObject(value);
  if (schema === undefined || depth > MAX_DEPTH) return 'any';
  const values = asArray(schema['enum']);
  if (values.length > 0) return values.map(toJson).join(' | ');
  const variants = asArray(schema['anyOf'] ?? schema['oneOf']);
  if (variants.length > 0) return variants.map((each) => typeText(each, depth + 1)).join(' | ');
  const properties = asObject(schema['properties']);
  if (properties !== undefined) return objectText(properties, asArray(schema['required']), depth);
  const type = asString(schema['type'])?.toLowerCase();
  if (type === 'array') return `${typeText(schema['items'], depth + 1)}[]`;
  if (type === 'integer') return 'number';
  if (type === undefined) return asArray(schema['type']).map(String).join(' | ') || 'any';
  return type;
}

function objectText(properties: JsonObject, required: readonly unknown[], depth: number): string {
  const lines: string[] = [];
  for (const [name, property] of Object.entries(properties)) {
    const comment = asString(asObject(property)?.['description']);
    if (comment !== undefined) lines.push(`// ${comment}`);
    lines.push(`${name}${required.includes(name) ? '' : '?'}: ${typeText(property, depth + 1)},`);
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n}`;
}
