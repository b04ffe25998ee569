import { z } from 'zod';

/** A name that people give: printed to terminals and into pictures, so on one line and without control characters. */
export const nameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'a name without control characters')
  .meta({ description: 'a name of 1 to 200 characters' });
