// Reads {"schema": ..., "documents": {NAME: ...}} and prints {NAME: [what is wrong, ...]}.
const Ajv = require('ajv/dist/2020');

const { schema, documents } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
// Strict: a keyword that does not exist, or has no effect, is a mistake in our schema.
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const validate = ajv.compile(schema);
const report = {};

for (const [name, document] of Object.entries(documents)) {
  validate(document);
  report[name] = (validate.errors || []).map((error) => `${error.instancePath}: ${error.message}`);
}
console.log(JSON.stringify(report));
