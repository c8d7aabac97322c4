import type * as Swagger from '@nestjs/swagger';
import { LateDecorators } from './late-decorators.js';

type SwaggerPackage = typeof Swagger;

const docs = new LateDecorators<SwaggerPackage>();

// The decorators of @nestjs/swagger by the same names: the package is a quarter of all files of the hub, and only the
// API page asks for what they say.
export const ApiBearerAuth = docs.of((s: SwaggerPackage) => s.ApiBearerAuth);
export const ApiBody = docs.of((s: SwaggerPackage) => s.ApiBody);
export const ApiConsumes = docs.of((s: SwaggerPackage) => s.ApiConsumes);
export const ApiExcludeController = docs.of((s: SwaggerPackage) => s.ApiExcludeController);
export const ApiExtraModels = docs.of((s: SwaggerPackage) => s.ApiExtraModels);
export const ApiHeader = docs.of((s: SwaggerPackage) => s.ApiHeader);
export const ApiOkResponse = docs.of((s: SwaggerPackage) => s.ApiOkResponse);
export const ApiOperation = docs.of((s: SwaggerPackage) => s.ApiOperation);
export const ApiParam = docs.of((s: SwaggerPackage) => s.ApiParam);
export const ApiProduces = docs.of((s: SwaggerPackage) => s.ApiProduces);
export const ApiProperty = docs.of((s: SwaggerPackage) => s.ApiProperty);
export const ApiPropertyOptional = docs.of((s: SwaggerPackage) => s.ApiPropertyOptional);
export const ApiQuery = docs.of((s: SwaggerPackage) => s.ApiQuery);
export const ApiResponse = docs.of((s: SwaggerPackage) => s.ApiResponse);
export const ApiTags = docs.of((s: SwaggerPackage) => s.ApiTags);

/** Where the API document describes a class that `ApiExtraModels` names. */
export const schemaPathOf = (model: new () => object): string => `#/components/schemas/${model.name}`;

/** @nestjs/swagger, knowing what was declared with the decorators above. */
export const loadSwagger = async (): Promise<SwaggerPackage> => {
  const swagger = await import('@nestjs/swagger');
  docs.apply(swagger);
  return swagger;
};
