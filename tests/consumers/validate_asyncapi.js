// An AsyncAPI document, as JSON on standard input, against the specification's own JSON schema: prints what is wrong.
"use strict";

const { schemasWithoutId } = require("@asyncapi/specs");
const Ajv = require("ajv");
const addFormats = require("ajv-formats");

const document = JSON.parse(require("fs").readFileSync(0, "utf8"));
const ajv = new Ajv({ allErrors: true, strict: false });
addFormats(ajv);
const valid = ajv.validate(schemasWithoutId[document.asyncapi], document);
console.log(JSON.stringify(valid ? [] : ajv.errors.map(({ instancePath, message }) => `${instancePath} ${message}`)));
