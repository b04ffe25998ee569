import { defineShape, type ShapeSketch } from '../define-shape.ts';
import type { ModelShape } from '../shape.ts';

/** A model of the catalogue. */
export interface ModelEntry {
  shape: ModelShape;
  /** Where the shape's figures come from. */
  source: string;
  /**
   * Parameters as published: the checkpoint's tensor elements, shared ones once; the rounded figure of the paper where
   * the family's file says so. Only the text part's for models that also see.
   */
  publishedParameters: number;
}

/** One row of a family's table: slug, Hugging Face repository, published parameters, shape. */
export function model(name: string, repository: string, publishedParameters: number, sketch: ShapeSketch): ModelEntry {
  return {
    shape: defineShape(name, sketch),
    source: `Hugging Face ${repository} config.json`,
    publishedParameters,
  };
}
